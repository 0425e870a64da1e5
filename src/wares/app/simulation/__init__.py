"""Simulated shoppers: what they want, how they look and type, and how they walk through a shop over its HTTP API."""
