"""Data, not code: the default text encoder, with its card and licence."""
