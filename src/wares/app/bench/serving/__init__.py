"""What a served shop withstands: a made-up one, a real server of it, and clients in another process."""
