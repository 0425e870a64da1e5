"""What the service says of itself: its description, its refusals and errors, and what their codes mean."""
