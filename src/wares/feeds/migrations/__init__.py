"""Exports of other search engines: what they hold in wares' words, and what becomes of each thing."""
