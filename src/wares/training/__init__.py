"""What the store knows -> a snapshot."""
