"""A miner, what it measures, and whom it tells."""
