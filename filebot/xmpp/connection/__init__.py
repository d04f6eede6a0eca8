"""Keeping one XMPP stream online, and asking over it."""
