"""Pings (XEP-0199)."""

from slixmpp.exceptions import IqTimeout, XMPPError

from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream


async def ping(stream: Stream, jid: str, limit_s: float) -> str | None:
    """Ask for a sign of life, which an error is as well.

    Returns the condition of that error, empty if there was none; None if nothing came within ``limit_s``.
    """
    iq = stream.make_iq_get(ito=jid, ifrom=stream.boundjid)
    iq.enable("ping")
    try:
        await ask(stream, iq, limit_s)
    except IqTimeout:
        return None
    except XMPPError as error:
        return str(error.condition)
    return ""


async def server_answers(stream: Stream, limit_s: float) -> bool:
    """Ask the bot's server for a sign of life; return whether one came within ``limit_s`` seconds."""
    return await ping(stream, stream.server_domain, limit_s) is not None
