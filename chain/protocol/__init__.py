"""What a block and a transaction are, to the byte; no input or output."""
