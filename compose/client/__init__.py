"""What the commands ask of a node, and what a client makes without one: keys, signatures."""
