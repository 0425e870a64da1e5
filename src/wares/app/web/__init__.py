"""The HTTP service: routes, what they read and write, and the gate in front of them."""
