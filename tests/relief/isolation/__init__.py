"""Requests that could see one another: a site that marks everything, and storms on it."""
