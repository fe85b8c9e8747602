"""``minequeue export`` and ``import``: a node's chain and all that waits, as lines of JSON."""
