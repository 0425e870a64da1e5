"""The storefront in a real browser, against a real server."""
