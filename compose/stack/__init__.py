"""A stack on this machine: its parts, its directory, its start, its end."""
