"""Observe one real request of a running project: what happened, as marks; nothing concluded."""
