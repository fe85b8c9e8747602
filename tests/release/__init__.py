"""What a release consists of: made, looked into, installed where nothing is, and run."""
