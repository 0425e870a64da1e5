"""Ranking -> slate: what the shop wants beyond relevance, each change with its name."""
