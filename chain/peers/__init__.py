"""The rules for other nodes' addresses: how one is written, and which may be called."""
