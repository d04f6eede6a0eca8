"""Deliveries: links, methods, clients, and files that wait for somebody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique

from filebot.model.files import Digest
from filebot.model.people import BareJid


@dataclass(frozen=True, slots=True)
class Link:
    """Upload of a blob that may still be alive."""

    digest: Digest
    name: str
    """Name of the entry at the upload: it is part of the URL, so a renamed file needs another upload."""
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """Upload slot (XEP-0363): URLs to PUT a file to and to GET it from."""

    put_url: str
    get_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only Authorization, Cookie and Expires, without newlines (XEP-0363 sections 4 and 9)."""


@unique
class Method(Enum):
    """Method by which the bytes of a file move. The values are the words that people type."""

    HTTP = "http"
    """An upload and a link to it (XEP-0363)."""
    SOCKS5 = "socks5"
    """A SOCKS5 bytestream (XEP-0065), direct or through a proxy."""
    IBB = "ibb"
    """In-band, inside of the XMPP stream (XEP-0047)."""


@unique
class Negotiation(Enum):
    """Protocol by which two clients agree on a stream, the preferred one first."""

    JINGLE = "jingle"
    """Jingle file transfer (XEP-0234)."""
    SI = "si"
    """Stream initiation (XEP-0095, XEP-0096)."""


@dataclass(frozen=True, slots=True)
class Client:
    """Client of a person that is online, as its disco#info describes it."""

    jid: str
    """A full JID."""
    streams: Mapping[Negotiation, frozenset[Method]]
    """Streams by which it takes files: for each negotiation SOCKS5, IBB or both."""
    software: str = ""
    """Name of the program as it says itself (XEP-0115), such as ``https://dino.im``. A hint."""

    @property
    def methods(self) -> frozenset[Method]:
        """Methods of all its streams."""
        return frozenset().union(*self.streams.values())


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """Stream by which a file goes to a client: its negotiation and method."""

    negotiation: Negotiation
    method: Method


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """Delivery of a file by a stream, under way or waiting; kept until it has ended."""

    number: int
    """Number of its transfer while the file moves; people write it after ``cancel``."""
    entry_id: int
    asker: BareJid
    """Person who asked for the delivery."""
    recipient: BareJid
    language: str | None
    """Language of the asker's request."""
    method: Method | None
    """Method that the asker named; None if the bot chooses."""
    created_at: datetime
    """In UTC."""
    tries: int = 0
    """Number of attempts that failed although the recipient was online."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """File that went by a message to somebody else, or into a room; the message may come back."""

    message_id: str
    entry_id: int
    asker: BareJid
    """Person who is told if it comes back."""
    recipient: BareJid
    """Address of the person, or of the room."""
    is_room: bool
    language: str | None
    """Language of the asker's request."""
    sent_at: datetime
    """In UTC."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """Message of the bot that came back as an error (RFC 6120 section 8.3)."""

    sender: BareJid
    """Bare address that the error comes from."""
    ids: tuple[str, ...]
    """Ids by which the error names the message, the likeliest first."""
    may_be_any: bool
    """Whether none of these ids is known to be that of another message."""
    condition: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a transfer."""

    done_bytes: int
    total_bytes: int | None

    @property
    def fraction(self) -> float | None:
        """0.0 to 1.0, or None while the total is unknown."""
        return min(self.done_bytes / self.total_bytes, 1.0) if self.total_bytes else None
