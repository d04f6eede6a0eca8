"""Links in the text of a message, and which of them are uploads."""

from collections.abc import Collection
from urllib.parse import urlsplit

from filebot.model import Sender


def is_link(text: str) -> bool:
    """Return whether a text is a web link and nothing else."""
    return len(text.split()) == 1 and text.lower().startswith(("https://", "http://"))


def is_upload(url: str, sender: Sender, upload_hosts: Collection[str]) -> bool:
    """Return whether a bare link is an upload, by a client that sends no more than the link.

    Uploads are at the sender's server, or at ``upload_hosts``: those of the bot's server.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # no link at all: fetch will say so
        return False
    domain = (sender.jid or "").partition("@")[2]
    return host in upload_hosts or (bool(domain) and (host == domain or host.endswith("." + domain)))
