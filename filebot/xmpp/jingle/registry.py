"""All Jingle sessions, each under the full JID of its peer and its sid (XEP-0166)."""

from collections.abc import Callable
from typing import Final

from cachetools import FIFOCache

from filebot.protocol.jingle.actions import (
    OUT_OF_ORDER,
    TIE_BREAK,
    UNKNOWN_SESSION,
    Action,
    BadJingle,
    Jingle,
    read_jingle,
)
from filebot.protocol.jingle.namespaces import JINGLE
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.bytestreams.registry import Sessions
from filebot.xmpp.jingle.driver import Driver

_MOST_ENDED: Final = 256
_AFTERWARDS: Final = frozenset({Action.SESSION_INFO, Action.SESSION_TERMINATE})


class JingleSessions:
    """Brings every ``<jingle/>`` to its session, and new ones to whoever takes offers."""

    def __init__(self, fast_path: IqFastPath, sessions: Sessions) -> None:
        self.on_initiate: Callable[[Request, Jingle], None] | None = None
        """Takes a ``session-initiate`` and answers it; without it nobody can begin a session."""
        self._fast_path = fast_path
        self._sessions = sessions
        self._drivers: dict[tuple[str, str], Driver] = {}
        self._ended = FIFOCache[tuple[str, str], None](_MOST_ENDED)
        fast_path.serve(f"{{{JINGLE}}}jingle", self._take)

    def __len__(self) -> int:
        return len(self._drivers)

    def add(self, driver: Driver) -> None:
        """From now on the session gets what its peer sends."""
        self._drivers[driver.peer, driver.session.terms.sid] = driver
        self._sessions.hold(driver.peer)

    def remove(self, driver: Driver) -> None:
        """It is over; a second time does nothing."""
        key = driver.peer, driver.session.terms.sid
        if self._drivers.pop(key, None) is None:
            return
        self._sessions.let_go(driver.peer)
        self._ended[key] = None

    def uses(self, peer: str, sids: frozenset[str]) -> bool:
        """Whether one of these already names a session with this peer, or its transport."""
        return any(driver.peer == peer and sids & driver.sids for driver in self._drivers.values())

    def gone(self, peer: str) -> None:
        """A client went offline. XEP-0166: that ends its sessions."""
        for driver in [each for each in self._drivers.values() if each.peer == peer]:
            driver.lost()

    def lost(self) -> None:
        """Our own XMPP session is gone."""
        for driver in tuple(self._drivers.values()):
            driver.lost()

    def _take(self, request: Request) -> None:
        try:
            jingle = read_jingle(request.payload)
        except BadJingle as error:
            self._fast_path.refuse(request, error.error)
            return
        driver = self._drivers.get((request.peer, jingle.sid))
        if jingle.action is Action.SESSION_INITIATE:
            self._initiated(request, jingle, driver)
        elif driver is not None:
            driver.take(request, jingle)
        elif (request.peer, jingle.sid) in self._ended and jingle.action in _AFTERWARDS:
            self._fast_path.acknowledge(request)  # both sides ended it at once
        else:
            self._fast_path.refuse(request, UNKNOWN_SESSION)

    def _initiated(self, request: Request, jingle: Jingle, driver: Driver | None) -> None:
        if driver is not None:
            # XEP-0166, "Tie Breaking": both chose the same sid, and one of them has to choose another.
            ours = driver.session.terms.initiating
            self._fast_path.refuse(request, TIE_BREAK if ours else OUT_OF_ORDER)
        elif self.on_initiate is None:
            self._fast_path.refuse(request, UNKNOWN_SESSION)
        else:
            self.on_initiate(request, jingle)
