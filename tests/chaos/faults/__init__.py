"""What may happen to a stack; each fault is a small class that asserts that it happened."""
