"""Other nodes: how they are called, and what is taken over from them."""
