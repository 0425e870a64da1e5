"""Other search engines, for comparison in one run."""
