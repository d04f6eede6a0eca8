"""Two session state machines and the link between them: in order, without loss, at any pace.

The world lists the steps that are possible at each moment, and a test chooses one. Besides the machines it
models the driver: one iq at a time from each side, answered at once; dialling, activating and opening as
steps that take a while; bytes that move once both sides are ready.
"""

from collections import deque
from collections.abc import Hashable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Literal

from filebot.model import Offer
from filebot.protocol.bytestreams import StreamHost
from filebot.protocol.jingle.actions import Action, Content, Jingle, JingleReason
from filebot.protocol.jingle.description import FileDescription, Range
from filebot.protocol.jingle.effects import (
    Activate,
    AwaitStream,
    Dial,
    Effect,
    Ended,
    Flow,
    OpenStream,
    Route,
    SendJingle,
)
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.quirks import STANDARD, Quirks
from filebot.protocol.jingle.session import JingleSession
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import (
    Candidate,
    CandidateType,
    InBandTransport,
    Socks5Transport,
)
from filebot.protocol.stanza_error import StanzaError

SID = "s1"
FILE = FileDescription(Offer(name="a.bin", size=10), range=Range())

Side = Literal["initiator", "responder"]
SIDES: tuple[Side, Side] = ("initiator", "responder")
PlannedRoute = tuple[str, Side]
"""Event, and the side at which it happens."""

MEETING = {Route.DIALLED: Route.AWAITED, Route.AWAITED: Route.DIALLED, Route.IN_BAND: Route.IN_BAND}
"""The other end of each route; a proxy is reached by dialling on both sides."""


def candidate(cid: str, kind: CandidateType, priority: int = 0) -> Candidate:
    host = StreamHost("peer@example.org/x", "192.0.2.1", 1080)
    return Candidate(cid, host, (kind.preference << 16) + priority, kind)


@dataclass(frozen=True)
class Setting:
    """Settings of a world: the offers of each side, and the connections that work."""

    offers: dict[Side, CandidateType | None]
    """Only candidate of each side."""
    dials: dict[Side, bool]
    """Whether each side can connect to the other's candidate."""
    activates: bool = True
    in_band: bool = False
    """Whether the session begins in-band."""
    replaces: bool = True
    senders: str = "initiator"
    quirks: dict[Side, Quirks] = field(default_factory=dict)
    same_priority: bool = False


@dataclass
class End:
    """Side of a session."""

    session: JingleSession
    to_say: deque[Jingle] = field(default_factory=deque)
    waiting: Jingle | None = None
    """Iq that the peer has not answered yet."""
    inbox: deque[Jingle | str] = field(default_factory=deque)
    """Input under way to this side: iqs, the opening of an in-band stream, and its bytes."""
    answers: deque[StanzaError | None] = field(default_factory=deque)
    busy: set[str] = field(default_factory=set)
    """Work that it has under way: dialling, activating."""
    dialling: Socks5Transport | None = None
    route: Route | None = None
    moved: bool = False
    has_bytes: bool = False
    ended: Ended | None = None

    def copy(self) -> "End":
        twin = copy(self)
        twin.session = copy(self.session)
        twin.session._exchange = copy(self.session._exchange)
        twin.to_say, twin.inbox, twin.answers = deque(self.to_say), deque(self.inbox), deque(self.answers)
        twin.busy = set(self.busy)
        return twin

    def mark(self) -> Hashable:
        session, exchange = self.session, self.session._exchange
        flags = (session._peer_is_done, session.received, session._told_twice, session._replaced)
        inside = (session.state, session._nominated, session._route, flags)
        tried = (exchange.dial_ended, exchange._dialled, exchange._told) if exchange is not None else None
        queues = (map(_name, self.to_say), map(_name, self.inbox), map(_name, self.answers))
        outside = (self.waiting and _name(self.waiting), self.route, self.moved, self.has_bytes)
        return (inside, tried, *map(tuple, queues), frozenset(self.busy), outside, self.ended is None)


def _name(said: Jingle | StanzaError | str | None) -> Hashable:
    """Return a key that tells the message from all others in this model."""
    if not isinstance(said, Jingle):
        return said
    transports = tuple(content.transport for content in said.contents)
    return said.action, said.reason, transports


class World:
    """Both sides of a session, and the link between them."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        offered = self._transport("initiator")
        content = Content("file", senders=setting.senders, file=FILE, transport=offered)
        spare = "spare" if setting.replaces else ""
        terms = SessionParameters(SID, content, initiating=True, spare_sid=spare)
        both: dict[Side, SessionParameters] = {
            "initiator": terms,
            "responder": replace(terms, initiating=False),
        }
        self.ends = {
            side: End(JingleSession(replace(each, quirks=setting.quirks.get(side, STANDARD))))
            for side, each in both.items()
        }
        self.perform("initiator", self.ends["initiator"].session.offer())

    def copy(self) -> "World":
        """Return an independent copy in the same state."""
        twin = copy(self)
        twin.ends = {side: end.copy() for side, end in self.ends.items()}
        return twin

    def mark(self) -> Hashable:
        """Return a key that is equal for equivalent states."""
        return tuple(end.mark() for end in self.ends.values())

    # --- what can happen, and what follows ----------------------------------------------------------

    def steps(self) -> list[PlannedRoute]:
        """Return all events that can happen now, timeouts excepted."""
        return [(step, side) for side in self.ends for step in self._steps_of(side)]

    def timeouts(self) -> list[PlannedRoute]:
        """Return the sides whose time can run out."""
        return [("time out", side) for side, end in self.ends.items() if end.session.wait_s is not None]

    def _steps_of(self, side: Side) -> list[str]:
        end = self.ends[side]
        possible = {
            "say": bool(end.to_say) and end.waiting is None,
            "hear": bool(end.inbox),
            "learn": bool(end.answers),
            "dial": "dial" in end.busy,
            "activate": "activate" in end.busy,
            "move": end.route is not None and end.session.terms.sending and not end.moved,
            "store": end.has_bytes and end.session.state is State.FLOWING,
        }
        return [step for step, can in possible.items() if can]

    def take(self, step: PlannedRoute) -> None:
        what, side = step
        end, session = self.ends[side], self.ends[side].session
        match what:
            case "say":
                end.waiting = end.to_say.popleft()
                self.ends[_other(side)].inbox.append(end.waiting)
            case "hear":
                self._hear(side, end.inbox.popleft())
            case "learn":
                said, error = end.waiting, end.answers.popleft()
                end.waiting = None
                assert said is not None
                if error is not None:
                    self.perform(side, session.refused(said, error))
            case "dial":
                end.busy.remove("dial")
                theirs = end.dialling.candidates if end.dialling else ()
                works = self.setting.dials[side] and theirs
                self.perform(side, session.dialled(theirs[0] if works else None))
            case "activate":
                end.busy.remove("activate")
                self.perform(side, session.activated(well=self.setting.activates))
            case "move":
                self._move(side)
            case "store":
                end.has_bytes = False
                self.perform(side, session.stored())
            case "time out":
                self.perform(side, session.expired())

    def perform(self, side: Side, effects: list[Effect] | tuple[Effect, ...]) -> None:
        end = self.ends[side]
        for effect in effects:
            assert end.ended is None, "nothing follows the end"
            match effect:
                case SendJingle(jingle):
                    end.to_say.append(jingle)
                case Dial(transport):
                    end.busy.add("dial")
                    end.dialling = transport
                case Activate():
                    end.busy.add("activate")
                case OpenStream():
                    self.ends[_other(side)].inbox.append("open")
                case AwaitStream():
                    pass
                case Flow(route):
                    assert end.route is None, "bytes flow once"
                    end.route = route
                case Ended():
                    end.ended = effect
                    end.busy.clear()

    # --- details ------------------------------------------------------------------------------------

    def _hear(self, side: Side, said: Jingle | str) -> None:
        end, other = self.ends[side], self.ends[_other(side)]
        if said == "open":
            if end.session.state is State.OPENING:
                self.perform(side, end.session.opened())
                self.perform(_other(side), other.session.opened())
            else:
                self.perform(_other(side), other.session.fail(JingleReason.FAILED_TRANSPORT))
        elif isinstance(said, Jingle) and said.action is Action.SESSION_INITIATE:
            other.answers.append(None)
            transport = self._transport(side)
            self.perform(side, end.session.accept(transport))
        elif isinstance(said, Jingle):
            reaction = end.session.receive(said)
            other.answers.append(reaction.error)
            self.perform(side, reaction.effects)
        else:
            end.has_bytes = True

    def _move(self, side: Side) -> None:
        end, other = self.ends[side], self.ends[_other(side)]
        end.moved = True
        if end.route is Route.IN_BAND:
            other.inbox.append("bytes")
        else:
            other.has_bytes = True
        self.perform(side, end.session.sent())

    def _transport(self, side: Side) -> Socks5Transport | InBandTransport:
        if self.setting.in_band:
            return InBandTransport("t", 4096)
        kind = self.setting.offers[side]
        priority = 1 if self.setting.same_priority or side == "initiator" else 3
        mine = () if kind is None else (candidate(f"of the {side}", kind, priority),)
        return Socks5Transport("t", mine)


def _other(side: Side) -> Side:
    return "responder" if side == "initiator" else "initiator"
