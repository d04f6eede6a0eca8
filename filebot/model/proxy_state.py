"""State of a SOCKS5 proxy (XEP-0065), as far as it is known without sending a file through it."""

from enum import Enum, unique


@unique
class ProxyState(Enum):
    """State of a proxy."""

    WORKS = "works"
    """It let the bot in."""
    POSSIBLE = "possible"
    """It was reached, and lets in only transfers that it knows of. COMPAT(Openfire): notes which files are
    offered, and a test is no such offer."""
    FAILS = "fails"
    """It does not serve the bot, is not reached, or failed lately."""
