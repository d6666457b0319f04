"""Rules about what pays for async without gaining."""
