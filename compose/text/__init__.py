"""Text on its way: files in, terminals out."""
