"""Processes that answer beside the one that serves: each has an interpreter of its own, and the whole shop to read."""
