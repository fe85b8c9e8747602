"""What a release consists of: made, looked into, installed where nothing is, and run."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
