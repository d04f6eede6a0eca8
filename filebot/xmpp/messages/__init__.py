"""Messages as values, both ways."""
