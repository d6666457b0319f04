"""Observe a running project: probes, one observed library a file."""
