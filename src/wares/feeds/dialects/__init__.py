"""Foreign feeds: each dialect turns the rows of one foreign format into wares' own rows."""
