"""Wishes said in a query: prices, exclusions and the shop's own values -> filters and boosts."""
