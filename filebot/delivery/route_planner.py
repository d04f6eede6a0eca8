"""Plan of the routes for a file, in order and with reasons: facts in, a plan out. No I/O, and no clock.

Theory of operation. Rooms and their occupants get links and nothing else: every client shows those, and
a stream through a room reaches nobody (XEP-0065 section 7). A person gets a link, too, where there can be
one: it needs nobody to be online and nobody to accept. Behind the link, or instead of it where the upload
service is missing, full or takes no file so large, stand the streams to each client that is online:

* the client in which the person asked before all others, unless its last attempt by that way failed;
* SOCKS5 before in-band, whatever else is true: in-band is slow and at the expense of all that is said. The
  streams fall from SOCKS5 to in-band by themselves, within one session, where both ends can.
* a client whose last attempt by a way failed comes after the others in this way;
* then the client that the person most likely uses at the moment;
* for one client, methods whose last attempt succeeded, then Jingle before SI.

In-band alone is planned only up to the size that makes sense at the rate that was measured.

Whoever names a method gets that method, of whatever size, or is told why not.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique
from typing import Final

from filebot.delivery.client_history import ClientHistory, Outcome
from filebot.errors import (
    FilebotError,
    NoTransferMethod,
    NoUploadService,
    ServiceQuotaReached,
    TooLargeForService,
    TooSlowInBand,
    TransferError,
)
from filebot.model import AddressKind, Client, Method, Negotiation, StreamMethod

IN_BAND_LIMIT_S: Final = 1800.0
"""Longest in-band transfer that is planned unless the person names the method."""

ASSUMED_BYTES_PER_S: Final = 7_000.0
"""In-band rate assumed where none was measured: that under Prosody's default limits."""

_PREFERENCE: Final = tuple(Negotiation)


@unique
class Reason(Enum):
    """Reason for the position of a step."""

    ASKED = "asked"
    """The person named the method."""
    ONLY_LINKS = "only links"
    """Nothing else goes to rooms and their occupants."""
    LINK_FIRST = "link first"
    NO_LINK = "no link"
    """Directly, as there can be no link."""
    IF_LINK_FAILS = "if link fails"
    RECENT_FAILURE = "recent failure"
    """Behind the others."""
    IN_BAND_LAST = "in-band last"


@dataclass(frozen=True, slots=True)
class Uploads:
    """The upload service, as it is now."""

    limit_bytes: int | None = None
    """The largest file; None if it names no limit."""
    full_until: datetime | None = None
    """Time until which it takes no file, or none of this size, by its own answer."""
    too_large: bool = False
    """Whether it recently refused a file of this size or a smaller one as too large."""


@dataclass(frozen=True, slots=True)
class RoutingInputs:
    """Facts for a plan, beside the client history and the time."""

    size_bytes: int
    to: AddressKind
    uploads: Uploads | None
    """None: there is no service."""
    has_link: bool = False
    """Whether an earlier upload of this file is still available."""
    clients: tuple[Client, ...] = ()
    """Clients of the person that are online, with the streams that the bot can do as well; the likeliest to
    be used first."""
    asked: Method | None = None
    """The method that the person named."""
    asking_client: str = ""
    """The full JID of the client in which the person asked; empty if it is not known."""
    is_online: bool = False
    """Whether any client of the person is online, also one that takes no files."""


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """A link, or one way to one client."""

    reason: Reason
    """Reason for its position."""
    client: Client | None = None
    """Client to which it goes; None for a link."""
    way: StreamMethod | None = None
    """Stream by which the file goes; None for a link."""
    seconds: float | None = None
    """About how long it will take, in-band."""

    @property
    def method(self) -> Method:
        """Method by which the bytes move."""
        return Method.HTTP if self.way is None else self.way.method


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes to try, in this order, and why there are no others."""

    steps: tuple[PlannedRoute, ...]
    """The routes, in the order in which they are tried."""
    no_link: TransferError | None = None
    """Reason why there can be no link."""
    no_stream: FilebotError | None = None
    """Reason why there is no stream: NoTransferMethod or TooSlowInBand."""


def plan(facts: RoutingInputs, client_history: ClientHistory, now: datetime) -> Plan:
    """The ways for a file, the best first. Each way to each client stands in it at most once."""
    no_link = _no_link(facts, now)
    link: tuple[PlannedRoute, ...] = ()
    if no_link is None and facts.asked in {None, Method.HTTP}:
        link = (PlannedRoute(_why_a_link(facts)),)
    if facts.asked is Method.HTTP or (facts.to is not AddressKind.CHAT and facts.asked is None):
        return Plan(link, no_link)
    streams = _streams(facts, client_history, now, no_link)
    return Plan((*link, *streams), no_link, None if streams else _no_stream(facts, client_history, now))


def in_band_seconds(client: Client, size_bytes: int, client_history: ClientHistory, now: datetime) -> float:
    """About how long a file takes in-band."""
    return size_bytes / (client_history.rate(client, now) or ASSUMED_BYTES_PER_S)


def _no_link(facts: RoutingInputs, now: datetime) -> TransferError | None:
    uploads, size = facts.uploads, facts.size_bytes
    if facts.has_link:
        return None
    if uploads is None:
        return NoUploadService("no service")
    if uploads.limit_bytes is not None and size > uploads.limit_bytes:
        return TooLargeForService(size_bytes=size, limit_bytes=uploads.limit_bytes)
    if uploads.too_large:
        return TooLargeForService(size_bytes=size, limit_bytes=None)
    if uploads.full_until is not None and now < uploads.full_until:
        return ServiceQuotaReached(retry_at=uploads.full_until)
    return None


def _why_a_link(facts: RoutingInputs) -> Reason:
    if facts.to is not AddressKind.CHAT:
        return Reason.ONLY_LINKS
    return Reason.LINK_FIRST if facts.asked is None else Reason.ASKED


def _streams(
    facts: RoutingInputs, client_history: ClientHistory, now: datetime, no_link: TransferError | None
) -> tuple[PlannedRoute, ...]:
    ranked: list[tuple[tuple[bool, bool, bool, int, bool, int], PlannedRoute]] = []
    for place, client in enumerate(_reachable(facts)):
        for way in _ways(client):
            seconds = None
            if way.method is Method.IBB:
                seconds = in_band_seconds(client, facts.size_bytes, client_history, now)
            if facts.asked is None and seconds is not None and seconds > IN_BAND_LIMIT_S:
                continue
            if facts.asked not in {None, way.method}:
                continue
            outcome = client_history.outcome(client, way, now)
            rank = (
                client.jid != facts.asking_client or outcome is Outcome.FAILED,
                way.method is Method.IBB,
                outcome is Outcome.FAILED,
                place,
                outcome is not Outcome.WENT,
                _PREFERENCE.index(way.negotiation),
            )
            reason = _why_a_stream(facts, way, outcome, no_link)
            ranked.append((rank, PlannedRoute(reason, client, way, seconds)))
    return tuple(step for _, step in sorted(ranked, key=lambda each: each[0]))


def _why_a_stream(
    facts: RoutingInputs, way: StreamMethod, outcome: Outcome, no_link: TransferError | None
) -> Reason:
    if facts.asked is not None:
        return Reason.ASKED
    if outcome is Outcome.FAILED:
        return Reason.RECENT_FAILURE
    if way.method is Method.IBB:
        return Reason.IN_BAND_LAST
    return Reason.IF_LINK_FAILS if no_link is None else Reason.NO_LINK


def _no_stream(facts: RoutingInputs, client_history: ClientHistory, now: datetime) -> FilebotError:
    clients = [client for client in _reachable(facts) if Method.IBB in client.methods]
    if facts.asked is None and clients:
        return TooSlowInBand(
            seconds=min(in_band_seconds(each, facts.size_bytes, client_history, now) for each in clients)
        )
    return NoTransferMethod(
        method=facts.asked.value if facts.asked else None,
        through_room=facts.to is not AddressKind.CHAT,
        is_online=facts.is_online,
    )


def _reachable(facts: RoutingInputs) -> tuple[Client, ...]:
    return facts.clients if facts.to is AddressKind.CHAT else ()


def _ways(client: Client) -> list[StreamMethod]:
    return [
        StreamMethod(negotiation, method)
        for negotiation, methods in client.streams.items()
        for method in (Method.SOCKS5, Method.IBB)
        if method in methods
    ]
