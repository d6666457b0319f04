"""Rules about what must not run on the event loop."""
