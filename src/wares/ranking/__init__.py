"""Candidates -> scores."""
