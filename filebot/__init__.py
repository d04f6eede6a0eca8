"""filebot: an XMPP bot for dropping files in a chat and getting them back."""

__version__ = "0.2.0"
