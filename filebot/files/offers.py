"""Facts of an offered file before any byte of it has come."""

from filebot.filenames import name_from_url, safe_name
from filebot.model import IncomingMessage, Offer


def name_of(offer: Offer) -> str:
    """Return the name of a file of which no byte has come yet; empty if nobody named it."""
    offered = offer.name or (name_from_url(offer.urls[0]) if offer.urls else None)
    return safe_name(offered) if offered else ""


def source_message(message: IncomingMessage, number: int) -> str | None:
    """Return the catalog's key for the message's file of this number, by which it is known again."""
    return None if message.mam_id is None else f"{message.mam_id}/{number}"
