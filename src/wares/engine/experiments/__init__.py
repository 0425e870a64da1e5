"""Experiments: two ways to answer one surface, side by side, each for its own shoppers."""
