"""What is sent: bodies, records in bulk, and requests that are sent twice."""
