"""Rules about the adapters between sync and async code."""
