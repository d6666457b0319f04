"""The project's code, read without running it: one pass per file, then questions to a graph."""
