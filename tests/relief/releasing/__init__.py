"""Connections that are given back before a wait, on real servers and a real PostgreSQL."""
