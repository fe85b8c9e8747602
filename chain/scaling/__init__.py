"""How many miners there should be: pure arithmetic on a reading of the queue."""
