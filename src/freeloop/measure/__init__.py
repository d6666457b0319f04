"""Serve the project on real servers, load them, and observe them from outside and inside."""
