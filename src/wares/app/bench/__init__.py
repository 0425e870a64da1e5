"""Measures a shop: speed, memory and whether what it says is true."""
