"""Effects of a Jingle session: work for its driver, to be done in the given order."""

from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import TypeAlias

from filebot.model import Method
from filebot.protocol.jingle.actions import Jingle, JingleReason
from filebot.protocol.jingle.transports import Candidate, InBandTransport, Socks5Transport
from filebot.protocol.stanza_error import StanzaError


@dataclass(frozen=True, slots=True)
class SendJingle:
    """Send an iq-set to the peer; tell :meth:`JingleSession.refused` if the answer is an error."""

    jingle: Jingle
    after_s: float = 0.0
    """Delay before it is sent."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Try to connect to these, best first; tell :meth:`JingleSession.dialled`."""

    transport: Socks5Transport


@dataclass(frozen=True, slots=True)
class Activate:
    """Connect to our own proxy and let it pass the bytes on; tell :meth:`JingleSession.activated`."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Send the ``<open/>`` of an in-band stream; tell :meth:`JingleSession.opened`."""

    transport: InBandTransport


@dataclass(frozen=True, slots=True)
class AwaitStream:
    """Let the peer open an in-band stream; tell :meth:`JingleSession.opened`."""

    transport: InBandTransport


@unique
class Route(Enum):
    """Route of the bytes of the file."""

    DIALLED = auto()
    """Over the connection to the peer's candidate."""
    AWAITED = auto()
    """Over the peer's connection to our own listener."""
    ACTIVATED = auto()
    """Over the connection to our proxy."""
    IN_BAND = auto()

    @property
    def method(self) -> Method:
        """Method of the route, in the words of people."""
        return Method.IBB if self is Route.IN_BAND else Method.SOCKS5


@dataclass(frozen=True, slots=True)
class Flow:
    """Move the bytes; tell the session by ``sent``, ``stored`` or ``fail`` how that ended."""

    route: Route


@dataclass(frozen=True, slots=True)
class Ended:
    """End everything that was done for the session, which is over."""

    reason: JingleReason
    text: str = ""
    """The peer's words, if it was the peer who ended it."""
    error: StanzaError | None = None
    """Error answer of the peer, if that ended the session."""
    waited_s: float = 0.0
    """Time waited for an answer that did not come."""


Effect: TypeAlias = SendJingle | Dial | Activate | OpenStream | AwaitStream | Flow | Ended


@dataclass(frozen=True, slots=True)
class Reaction:
    """Reaction to an iq of the peer: first the answer to it, then the effects."""

    effects: tuple[Effect, ...] = ()
    error: StanzaError | None = None
    """The answer is an empty result if there is none."""
