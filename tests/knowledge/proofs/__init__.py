"""Proofs that a call blocks: one-line exercises, run for real below the recorder of C calls."""
