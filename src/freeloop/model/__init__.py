"""Frozen data that the floors share: requests, plans, runs, verdicts, and their JSON."""
