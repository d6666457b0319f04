"""Stand-alone answers, loaded by path in the project's interpreter: only stdlib and Django."""
