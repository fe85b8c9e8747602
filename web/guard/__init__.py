"""What stops a client: tokens, rates, origins, slots."""
