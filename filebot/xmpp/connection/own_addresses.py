"""The bot's own addresses: an account has one, an external component (XEP-0114) all those of its domain.

A component answers from the address that was written to, and is seen by people under the one that they
subscribed to. Everything else comes from the address of the config: rooms know it by that one alone.
"""

from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.jid import Jid


def is_own(stream: Stream, jid: Jid) -> bool:
    """Whether it is the bot itself."""
    return jid.domain == stream.boundjid.domain if stream.is_component else jid.bare == stream.boundjid.bare


def full(stream: Stream, own: str = "") -> str:
    """One of the addresses with a resource; the main one if none is named."""
    if not own:
        return str(stream.boundjid.full)
    return own if "/" in own else f"{own}/{stream.boundjid.resource}"
