"""How good is it? Metrics, splits and replays."""
