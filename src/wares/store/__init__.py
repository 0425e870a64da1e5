"""What do we know? The catalogue, the event log and the impressions, durable in SQLite."""
