"""Backends of installed packages, found by their entry points; the bot's own are found the same way."""
