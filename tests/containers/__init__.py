"""The compose file with real containers: python -m tests.containers.run, as root."""
