"""Rules about coroutines and tasks."""
