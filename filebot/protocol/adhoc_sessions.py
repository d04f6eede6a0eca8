"""Sessions of ad-hoc commands (XEP-0050 section 3.4), without their XML, their clock and their work.

Theory of operation. A session belongs to one client of one person; nobody else learns that it exists::

          begun                 a form came, while its request waited
            |    +------------------------------------------+
            v    |                                          v
          RUNNING --------------------------------------> ASKING --10 min--> (over)
            | ^  <--next, prev, complete, with a good form--+  |
    too     | |                                             ^  +--cancel--> (over)
    long    | | asked again                                 |
            v |                                             | asked again: a form
           LATE ---- a form, or the result, came --------> READY --asked again: the result--> (over)

From each state ``cancel`` leads out, and so does a result that comes to RUNNING. While a step is under way
nothing else is begun, so that nothing is carried out twice; and forms are numbered, so that an earlier one
that comes once more answers none that was shown since. Ids of sessions that are over are remembered
for a while: to their owner they have expired; to all others, and later, they were never there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import Final, Generic, TypeVar

from cachetools import FIFOCache

from filebot.concurrency.bounded_store import weight
from filebot.model import FormAction, FormStep, Submission
from filebot.protocol.adhoc import BAD_ACTION, BAD_SESSION_ID, SESSION_EXPIRED, CommandRefused
from filebot.protocol.stanza_error import StanzaError

SESSION_BYTES: Final = 2000
"""Rough size of a session beside its form and what is filled in."""

BUSY: Final = StanzaError("resource-constraint", "wait")
UNDER_WAY: Final = StanzaError("unexpected-request", "wait")
"""The step before is not done yet."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """Bounds on sessions, in all, for each person, and for all in one room, whose service can make up any
    number of people.
    """

    idle_s: float = 600.0
    """How long a session waits for its person."""
    total: int = 1000
    per_room: int = 200
    per_person: int = 8
    total_bytes: int = 64_000_000
    room_bytes: int = 16_000_000
    person_bytes: int = 4_000_000
    ended: int = 10_000
    """How many ids of sessions that are over are remembered."""


@dataclass(frozen=True, slots=True)
class Party:
    """Owner of a session."""

    jid: str
    """Full JID of the client; of an occupant, that in the room."""
    person: str
    """Person behind it, as far as server or room vouch for them."""
    room: str | None = None
    """Room through which they ask."""


@unique
class State(Enum):
    """State of a session: see the module."""

    RUNNING = auto()
    LATE = auto()
    READY = auto()
    ASKING = auto()


@unique
class Move(Enum):
    """Meaning of an action in the state of its session."""

    CANCEL = auto()
    WAIT = auto()
    """Wait for the step that is under way."""
    FETCH = auto()
    """Have what came meanwhile."""
    PREVIOUS = auto()
    NEXT = auto()
    COMPLETE = auto()


_MOVES: Final = {
    FormAction.CANCEL: Move.CANCEL,
    FormAction.PREVIOUS: Move.PREVIOUS,
    FormAction.NEXT: Move.NEXT,
    FormAction.COMPLETE: Move.COMPLETE,
}
_ON_THEIR_WAY: Final = {State.LATE: Move.WAIT, State.READY: Move.FETCH}


@dataclass(slots=True, eq=False)
class CommandSession(Generic[T]):
    """Session of one command."""

    id: str
    party: Party
    node: str
    owned: T
    """Value that its driver keeps with it."""
    at: float
    """Time of the last step."""
    state: State = State.RUNNING
    step: FormStep | None = None
    """Last step that came; None before the first one."""
    number: int = 0
    """Number of the form that is to be filled in."""
    size_bytes: int = SESSION_BYTES

    @property
    def is_busy(self) -> bool:
        """Whether a step is under way."""
        return self.state in {State.RUNNING, State.LATE}

    def move(self, action: FormAction | None) -> Move:
        """Return what an action (None: ``execute``) means now. Raises CommandRefused; changes nothing."""
        if action is FormAction.CANCEL:
            return Move.CANCEL
        if self.state is State.RUNNING:
            raise CommandRefused(UNDER_WAY)
        if self.state is not State.ASKING:
            if action is FormAction.PREVIOUS:
                raise CommandRefused(BAD_ACTION)
            return _ON_THEIR_WAY[self.state]
        chosen = action or self.usual_action
        if chosen not in self._allowed:
            raise CommandRefused(BAD_ACTION)
        return _MOVES[chosen]

    @property
    def usual_action(self) -> FormAction:
        """Action that ``execute`` means (section 3.4)."""
        return self._allowed[0]

    @property
    def _allowed(self) -> tuple[FormAction, ...]:
        offered = () if self.step is None else self.step.actions
        return tuple(each for each in offered if each is not FormAction.CANCEL) or (FormAction.COMPLETE,)


class CommandSessions(Generic[T]):
    """All sessions. ``now`` is in seconds, and never goes back."""

    def __init__(self, limits: CommandLimits, new_id: Callable[[], str]) -> None:
        """``new_id`` makes ids that nobody can guess."""
        self._limits = limits
        self._new_id = new_id
        self._sessions: dict[str, CommandSession[T]] = {}
        self._of: dict[str, dict[str, CommandSession[T]]] = {}
        """Sessions of each person, the one with the oldest step first."""
        self._bytes = 0
        self._ended: FIFOCache[str, int] = FIFOCache(limits.ended)

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[CommandSession[T]]:
        return iter(tuple(self._sessions.values()))

    @property
    def size_bytes(self) -> int:
        """How much memory all sessions take, about."""
        return self._bytes

    def begin(self, party: Party, node: str, owned: T, now: float) -> CommandSession[T]:
        """Begin a session, whose first step is under way. Raises CommandRefused.

        The oldest sessions of the same person that only wait for them make room; nobody else's do.
        """
        self.expire(now)
        while len(self._of.get(party.person, ())) >= self._limits.per_person:
            self._evict(party.person)
        if len(self._sessions) >= self._limits.total:
            raise CommandRefused(BUSY)
        if len(self._in_room(party.room)) >= self._limits.per_room:
            raise CommandRefused(BUSY)
        session = CommandSession(self._new_id(), party, node, owned, now)
        self._make_room(session, SESSION_BYTES)
        self._sessions[session.id] = session
        self._of.setdefault(party.person, {})[session.id] = session
        self._bytes += session.size_bytes
        return session

    def find(self, party: Party, node: str, session_id: str, now: float) -> CommandSession[T]:
        """Return the session that a client means. Raises CommandRefused."""
        self.expire(now)
        session = self._sessions.get(session_id)
        if session is not None and (session.party, session.node) == (party, node):
            return session
        # Others learn nothing of it, not even that it was there.
        was_theirs = session is None and self._ended.get(session_id) == hash((party, node))
        raise CommandRefused(SESSION_EXPIRED if was_theirs else BAD_SESSION_ID)

    def run(self, session: CommandSession[T], values: Submission | None, now: float) -> None:
        """Note that a step is under way, with what was filled in. Raises CommandRefused."""
        self._resize(session, SESSION_BYTES + weight(session.step) + weight(values or {}))
        session.state = State.RUNNING
        self._touch(session, now)

    def wait(self, session: CommandSession[T]) -> None:
        """Note that the client waits for the step that is under way."""
        session.state = State.RUNNING

    def late(self, session: CommandSession[T]) -> None:
        """Note that nobody waits any more for the step that is under way."""
        session.state = State.LATE
        session.number += 1

    def stepped(self, session: CommandSession[T], step: FormStep, now: float) -> bool:
        """Note that a step came; return whether a client waits for it. Raises CommandRefused for one that
        is too large.

        A result that a client waits for ends the session.
        """
        is_awaited = session.state is State.RUNNING
        if is_awaited and step.is_over:
            self.end(session)
            return True
        self._resize(session, SESSION_BYTES + weight(step))
        session.step = step
        session.number += 1
        session.state = State.ASKING if is_awaited else State.READY
        self._touch(session, now)
        return is_awaited

    def fetched(self, session: CommandSession[T], now: float) -> None:
        """Note that the client has what came meanwhile; a result ends the session."""
        if session.step is None or session.step.is_over:
            self.end(session)
        else:
            session.state = State.ASKING
            self._touch(session, now)

    def end(self, session: CommandSession[T]) -> None:
        """Forget a session, but for its id."""
        if self._sessions.pop(session.id, None) is None:
            return
        own = self._of[session.party.person]
        del own[session.id]
        if not own:
            del self._of[session.party.person]
        self._bytes -= session.size_bytes
        self._ended[session.id] = hash((session.party, session.node))

    def expire(self, now: float) -> None:
        """End sessions whose person has not gone on in time."""
        for each in self:
            if not each.is_busy and now - each.at >= self._limits.idle_s:
                self.end(each)

    def is_open(self, session: CommandSession[T]) -> bool:
        """Whether a session is not over."""
        return self._sessions.get(session.id) is session

    # --- bounds ---------------------------------------------------------------------------------

    def _touch(self, session: CommandSession[T], now: float) -> None:
        session.at = now
        own = self._of[session.party.person]
        own[session.id] = own.pop(session.id)

    def _resize(self, session: CommandSession[T], size_bytes: int) -> None:
        self._make_room(session, size_bytes - session.size_bytes)
        self._bytes += size_bytes - session.size_bytes
        session.size_bytes = size_bytes

    def _make_room(self, session: CommandSession[T], more_bytes: int) -> None:
        """Raises CommandRefused."""
        person = session.party.person
        while self._bytes_of(person) + more_bytes > self._limits.person_bytes:
            self._evict(person, but=session)
        if self._bytes + more_bytes > self._limits.total_bytes:
            raise CommandRefused(BUSY)
        in_room = sum(each.size_bytes for each in self._in_room(session.party.room))
        if in_room + more_bytes > self._limits.room_bytes:
            raise CommandRefused(BUSY)

    def _in_room(self, room: str | None) -> list[CommandSession[T]]:
        """Return the sessions of all in a room; none for None."""
        if room is None:
            return []
        return [each for each in self._sessions.values() if each.party.room == room]

    def _bytes_of(self, person: str) -> int:
        return sum(each.size_bytes for each in self._of.get(person, {}).values())

    def _evict(self, person: str, but: CommandSession[T] | None = None) -> None:
        own = self._of.get(person, {}).values()
        oldest = next((each for each in own if not each.is_busy and each is not but), None)
        if oldest is None:
            raise CommandRefused(BUSY)
        self.end(oldest)
