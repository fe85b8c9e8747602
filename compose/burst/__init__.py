"""A burst from a client's side: send it, keep every receipt, look for each in the chain."""
