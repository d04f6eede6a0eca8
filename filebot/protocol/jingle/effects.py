"""What a Jingle session wants to have done, in the order in which it says so."""

from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import TypeAlias

from filebot.model import Method
from filebot.protocol.jingle.actions import Jingle, JingleReason
from filebot.protocol.jingle.transports import Candidate, InBandTransport, Socks5Transport
from filebot.protocol.stanza_error import StanzaError


@dataclass(frozen=True, slots=True)
class SendJingle:
    """An iq-set to the peer. What it answers is told to :meth:`Session.refused` if it is an error."""

    jingle: Jingle
    after_s: float = 0.0
    """Not before so much time has passed."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Try to connect to these, best first; tell :meth:`Session.dialled`."""

    transport: Socks5Transport


@dataclass(frozen=True, slots=True)
class Activate:
    """Connect to our own proxy and let it pass the bytes on; tell :meth:`Session.activated`."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Send the ``<open/>`` of an in-band stream; tell :meth:`Session.opened`."""

    transport: InBandTransport


@dataclass(frozen=True, slots=True)
class AwaitStream:
    """Let the peer open an in-band stream; tell :meth:`Session.opened`."""

    transport: InBandTransport


@unique
class Route(Enum):
    """Where the bytes of the file move."""

    DIALLED = auto()
    """Over the connection to the peer's candidate."""
    AWAITED = auto()
    """Over the peer's connection to our own listener."""
    ACTIVATED = auto()
    """Over the connection to our proxy."""
    IN_BAND = auto()

    @property
    def method(self) -> Method:
        """As people call it."""
        return Method.IBB if self is Route.IN_BAND else Method.SOCKS5


@dataclass(frozen=True, slots=True)
class Flow:
    """Move the bytes; tell :meth:`Session.sent` or :meth:`Session.stored`, or :meth:`Session.fail`."""

    route: Route


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, and so is everything that was done for it."""

    reason: JingleReason
    text: str = ""
    """The peer's words, if it was the peer who ended it."""
    by_peer: bool = False
    error: StanzaError | None = None
    """What the peer answered, where it was that."""
    waited_s: float = 0.0
    """For an answer that did not come."""


Effect: TypeAlias = SendJingle | Dial | Activate | OpenStream | AwaitStream | Flow | Ended


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from an iq of the peer: first the answer to it, then the effects."""

    effects: tuple[Effect, ...] = ()
    error: StanzaError | None = None
    """The answer is an empty result if there is none."""
