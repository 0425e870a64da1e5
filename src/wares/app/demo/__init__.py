"""The demo shops: real purchases, a shop made of them, and a tour of what it can."""
