"""Byte stream sessions, each under the full JID of its peer and the sid: nobody else can touch it."""

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final, Protocol

from cachetools import FIFOCache

from filebot.protocol.ibb import IBB
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import BYTESTREAMS
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request

log = logging.getLogger(__name__)

UNKNOWN: Final = StanzaError("item-not-found")
"""XEP-0047 section 2.2. The same for a session of somebody else: whether there is one is not told."""
UNWILLING: Final = StanzaError("not-acceptable")
BUSY: Final = StanzaError("resource-constraint", "wait")

_MOST_ENDED: Final = 256


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long anything may take, and how much there may be at once."""

    offer_s: float = 60.0
    """Until an offer is answered by the bot."""
    answer_s: float = 300.0
    """Until a person has answered an offer of the bot; Psi, Pidgin and Finch ask theirs."""
    open_s: float = 60.0
    """From the answer until bytes can flow, for each attempt."""
    idle_s: float = 60.0
    """Without any byte, or any acknowledgement."""
    linger_s: float = 1.0
    """After the last byte, for a close or for bytes too many."""
    per_person: int = 10
    total: int = 256


class StreamSession(Protocol):
    """One end of a byte stream; gets what its peer sends under its sid."""

    def requested(self, request: Request) -> None:
        """A ``<query/>`` with stream hosts (XEP-0065)."""

    def opened(self, request: Request) -> None:
        """An ``<open/>`` (XEP-0047)."""

    def data(self, request: Request) -> None:
        """A block (XEP-0047)."""

    def closed(self, request: Request) -> None:
        """A ``<close/>`` (XEP-0047), which is answered already."""

    def lost(self) -> None:
        """The peer's XMPP session is gone, or the bot's own, and with it all that was in flight."""


class Sessions:
    """All that there are."""

    def __init__(self, fast_path: IqFastPath, limits: StreamLimits) -> None:
        self._fast_path = fast_path
        self._limits = limits
        self._sessions: dict[tuple[str, str], StreamSession] = {}
        self._counted: set[tuple[str, str]] = set()
        self._people: Counter[str] = Counter()
        self._ended = FIFOCache[tuple[str, str], None](_MOST_ENDED)
        fast_path.serve(f"{{{BYTESTREAMS}}}query", self._requested)
        fast_path.serve(f"{{{IBB}}}open", self._opened)
        fast_path.serve(f"{{{IBB}}}data", self._data, in_messages=True)
        fast_path.serve(f"{{{IBB}}}close", self._closed)

    def __len__(self) -> int:
        return len(self._sessions)

    def room_for(self, peer: str) -> bool:
        """Whether one more session with this person is within the limits."""
        few = self._people[_bare(peer)] < self._limits.per_person
        return few and self._people.total() < self._limits.total

    def hold(self, peer: str) -> None:
        """Count one more session with this person; let go of it at its end."""
        self._people[_bare(peer)] += 1

    def let_go(self, peer: str) -> None:
        """One less."""
        bare = _bare(peer)
        self._people[bare] -= 1
        if not self._people[bare]:
            del self._people[bare]

    def known(self, peer: str, sid: str) -> bool:
        """Whether this sid is in use between the peer and the bot."""
        return (peer, sid) in self._sessions

    def add(self, peer: str, sid: str, session: StreamSession, *, counted: bool = True) -> None:
        """From now on the session gets what the peer sends under the sid.

        Without ``counted`` it belongs to a session that is counted already (see :meth:`hold`).
        """
        self._sessions[peer, sid] = session
        if counted:
            self._counted.add((peer, sid))
            self.hold(peer)

    def remove(self, peer: str, sid: str) -> None:
        """It is over; a second time does nothing."""
        if self._sessions.pop((peer, sid), None) is None:
            return
        if (peer, sid) in self._counted:
            self._counted.remove((peer, sid))
            self.let_go(peer)
        self._ended[peer, sid] = None

    def gone(self, peer: str) -> None:
        """A client went offline: nothing more comes from it, and nobody there answers."""
        for session in [each for (whose, _), each in self._sessions.items() if whose == peer]:
            session.lost()

    def lost(self) -> None:
        """The XMPP session is gone."""
        for session in tuple(self._sessions.values()):
            session.lost()

    def _find(self, request: Request) -> StreamSession | None:
        session = self._sessions.get((request.peer, request.sid))
        if session is None:
            self._fast_path.refuse(request, UNKNOWN)
        return session

    def _requested(self, request: Request) -> None:
        if (session := self._find(request)) is not None:
            session.requested(request)

    def _opened(self, request: Request) -> None:
        if (session := self._find(request)) is not None:
            session.opened(request)

    def _data(self, request: Request) -> None:
        if (session := self._find(request)) is not None:
            session.data(request)

    def _closed(self, request: Request) -> None:
        if (request.peer, request.sid) in self._ended:
            self._fast_path.acknowledge(request)  # complete by its size, before the close came
        elif (session := self._find(request)) is not None:
            self._fast_path.acknowledge(request)
            session.closed(request)


def _bare(peer: str) -> str:
    return peer.partition("/")[0]
