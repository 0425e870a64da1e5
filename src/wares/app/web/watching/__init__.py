"""How the service is, for those who look after it: health, metrics, logs."""
