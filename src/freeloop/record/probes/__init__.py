"""Stand-alone probes: loaded by path where freeloop is not installed."""
