"""What the README and docs/ show: bursts with kills, and pictures of the pages."""
