"""The web tier: HTTP in front of the ledger. Knows Flask and chain, and never the workers."""
