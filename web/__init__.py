"""The web tier: HTTP in front of the ledger. Knows Flask and chain, and never the workers."""

if __name__ != "minequeue.web":  # else each class would be made twice
    raise ImportError("import minequeue.web")
