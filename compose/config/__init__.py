"""Settings, and what they say of this machine: addresses, logs, processors, the server."""
