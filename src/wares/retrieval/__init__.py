"""A wish -> candidates: which products match, with exact totals and facets."""
