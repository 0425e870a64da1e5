"""Other words for the same thing: packaged ones for each language, and the shop's own."""
