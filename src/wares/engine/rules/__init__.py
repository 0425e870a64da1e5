"""The shopkeeper's rules as versions: written, checked, tried out, published, served."""
