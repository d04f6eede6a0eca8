"""File offers by stream initiation (XEP-0095, XEP-0096)."""
