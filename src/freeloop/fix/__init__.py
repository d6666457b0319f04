"""Fixes: what a rule found, mended as text, and proved before anything is written."""
