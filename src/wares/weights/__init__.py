"""Data, not code: the default text encoder and the demo shop's shopper model, each with its card."""
