"""Deliveries: links, methods, clients, and files that wait for somebody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique

from filebot.model.files import Digest
from filebot.model.people import BareJid


@dataclass(frozen=True, slots=True)
class Link:
    """An upload of a blob that may still be alive."""

    digest: Digest
    name: str
    """The entry's name at the time of upload: it is part of the URL, so a renamed file needs another."""
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """Where to PUT and where it can be had afterwards (XEP-0363)."""

    put_url: str
    get_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only Authorization, Cookie and Expires, without newlines (XEP-0363 sections 4 and 9)."""


@unique
class Method(Enum):
    """How the bytes of a file move. The values are what people type."""

    HTTP = "http"
    """An upload and a link to it (XEP-0363)."""
    SOCKS5 = "socks5"
    """A SOCKS5 bytestream (XEP-0065), direct or through a proxy."""
    IBB = "ibb"
    """In-band, inside of the XMPP stream (XEP-0047)."""


@unique
class Negotiation(Enum):
    """How two clients agree on a stream, in the order in which they are to be preferred."""

    JINGLE = "jingle"
    """Jingle file transfer (XEP-0234)."""
    SI = "si"
    """Stream initiation (XEP-0095, XEP-0096)."""


@dataclass(frozen=True, slots=True)
class Client:
    """One of a person's clients that is online, as its disco#info describes it."""

    jid: str
    """A full JID."""
    streams: Mapping[Negotiation, frozenset[Method]]
    """The streams by which it takes files: by each way of agreeing on one, SOCKS5, IBB or both."""
    software: str = ""
    """What it calls itself: the node of its caps (XEP-0115), such as ``https://dino.im``. A hint."""

    @property
    def methods(self) -> frozenset[Method]:
        """Those of all its streams."""
        return frozenset().union(*self.streams.values())


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """One way for a file to a client by a stream."""

    negotiation: Negotiation
    method: Method


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """A file that goes to a person by a stream, or waits until it can; kept until that has ended."""

    number: int
    """The same as its transfer's while it moves; people write it after ``cancel``."""
    entry_id: int
    asker: BareJid
    """On whose behalf it goes."""
    recipient: BareJid
    language: str | None
    """Of the asker's request."""
    method: Method | None
    """The one that the asker named; None if the bot chooses."""
    created_at: datetime
    """In UTC."""
    tries: int = 0
    """Attempts that failed although the recipient was online."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is."""

    done_bytes: int
    total_bytes: int | None

    @property
    def fraction(self) -> float | None:
        """0.0 to 1.0, or None while the total is unknown."""
        return min(self.done_bytes / self.total_bytes, 1.0) if self.total_bytes else None
