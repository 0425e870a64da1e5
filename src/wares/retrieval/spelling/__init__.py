"""Spelling: what a query with slips was meant to say, judged by the shop's own words and past queries."""
