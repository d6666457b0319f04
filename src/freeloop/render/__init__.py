"""Render floor: a run as words, a terminal table, JSON and a report."""
