"""Dispatching of messages to commands and file intake, and the replies to them."""
