"""Which messages of an archive are dealt with, and how far the mark in it may go.

Theory of operation. An archive has an order; work on its messages ends in any order. The mark may stand
only on a message before which nothing is left to do: whoever reads the archive from the mark on after a
crash then misses nothing. What was dealt with ahead of the mark is kept beside it, so that it is not met as
new.

In a new session nobody knows what came since the last one. So the archive is read from the mark on, and
what it has is put in its order (``missed``); what meanwhile comes live (``live``) is known, but has no
place until the archive shows it, or until the archive has been read to its end (``caught_up``).

Afterwards it depends on the archive. A room sends each message to everybody in it: what comes live has the
archive's order, with nothing in between (``in_order``). An account may have other clients, and a message
that went to one of them alone lies between two that came here. There only the archive gives places; until
it does, a message that was dealt with stands beside the mark.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import FIFOCache

from filebot.model import ArchivePosition

MOST: Final = 20_000
"""Messages after the mark that are remembered: as many as may come while one of them is dealt with, a
download that takes hours for one."""
MOST_CHARACTERS: Final = 2 * 1024 * 1024
"""Characters of remembered ids, in all: the service of a room may give long ones."""
MOST_PASSED: Final = 1_000
"""Messages before the mark that are remembered, for those that come twice."""
SHOWN_WITHIN: Final = timedelta(minutes=2)
"""An archive that does not show a message by then has not kept it."""


@dataclass(slots=True)
class _Message:
    at: datetime
    handled: bool
    placed: bool = False


class ArchiveCursor:
    """What is known of one archive. All ids are the archive's own (XEP-0359, stanza-id)."""

    def __init__(self, position: ArchivePosition, *, in_order: bool = True) -> None:
        """``mark`` is the one that was saved last.

        ``in_order``: what comes live after the archive was read is all there is, in the archive's order.
        """
        self._in_order = in_order
        self._position = position
        self._ahead = set(position.ahead)
        self._messages: dict[str, _Message] = {}
        self._order: deque[str] = deque()
        self._characters = 0
        """Of the ids of these."""
        self._passed = FIFOCache[int, None](MOST_PASSED)
        """By hashes."""
        self._catching_up = True
        self._open = 0

    @property
    def open(self) -> int:
        """Messages that are not dealt with yet."""
        return self._open

    @property
    def is_crowded(self) -> bool:
        """Whether no more of the archive can be remembered until what is dealt with has ended."""
        # Else nothing would ever make room: what has no place gets one when the archive is read on.
        return bool(self._order) and self._is_full

    @property
    def unplaced(self) -> bool:
        """Whether there are messages whose place only the archive can tell."""
        return any(not message.placed for message in self._messages.values())

    @property
    def position(self) -> ArchivePosition:
        """What is to be saved now."""
        done = {each for each, message in self._messages.items() if message.handled}
        return replace(self._position, ahead=frozenset(done | self._ahead))

    def begin(self) -> None:
        """There may be messages that did not come: the archive is going to be read from the mark on."""
        self._catching_up = True
        self._order.clear()
        for message in self._messages.values():
            message.placed = False

    def begin_after(self, message_id: str, at: datetime) -> None:
        """The mark stands here, if this message is not known to be still dealt with."""
        if message_id not in self._messages:
            self._position = replace(self._position, last_id=message_id, at=at)

    def begin_at(self, at: datetime) -> None:
        """The mark stands before everything that was archived since then."""
        self._position = replace(self._position, last_id="", at=at)

    def missed(self, message_id: str, at: datetime) -> bool:
        """The archive's next message; whether it has to be dealt with."""
        new = self._is_new(message_id, at)
        message = self._messages.get(message_id)
        if message is not None and not message.placed:
            message.placed = True
            message.at = at
            self._order.append(message_id)
            self._advance()
        return new

    def live(self, message_id: str, at: datetime) -> bool:
        """A message comes; whether it has to be dealt with.

        When too much is open to remember it, it is one of those that the archive has to show again.
        """
        if self._is_full and message_id not in self._messages:
            return hash(message_id) not in self._passed
        new = self._is_new(message_id, at)
        message = self._messages.get(message_id)
        if message is not None and not message.placed and self._in_order and not self._catching_up:
            message.placed = True
            self._order.append(message_id)
            self._advance()
        return new

    def caught_up(self, now: datetime) -> None:
        """The archive has been read to its end."""
        self._catching_up = False
        self._ahead.clear()
        if self._in_order:
            for message_id, message in self._messages.items():
                if not message.placed:
                    message.placed = True
                    self._order.append(message_id)
            self._advance()
            return
        not_kept = [
            message_id
            for message_id, message in self._messages.items()
            if message.handled and not message.placed and message.at + SHOWN_WITHIN < now
        ]
        for message_id in not_kept:
            self._forget(message_id)
            self._pass(message_id)

    def handled(self, message_id: str) -> None:
        """It is dealt with for good. One that is not known is no mistake."""
        message = self._messages.get(message_id)
        if message is not None and not message.handled:
            message.handled = True
            self._open -= 1
            self._advance()

    @property
    def _is_full(self) -> bool:
        return len(self._messages) >= MOST or self._characters >= MOST_CHARACTERS

    def _forget(self, message_id: str) -> _Message:
        self._characters -= len(message_id)
        return self._messages.pop(message_id)

    def _is_new(self, message_id: str, at: datetime) -> bool:
        if message_id in self._messages or hash(message_id) in self._passed:
            return False
        before = message_id in self._ahead
        self._messages[message_id] = _Message(at, handled=before)
        self._characters += len(message_id)
        self._open += not before
        return not before

    def _advance(self) -> None:
        while self._order and self._messages[self._order[0]].handled:
            last_id = self._order.popleft()
            self._position = replace(self._position, last_id=last_id, at=self._forget(last_id).at)
            self._ahead.discard(last_id)
            self._pass(last_id)

    def _pass(self, message_id: str) -> None:
        self._passed[hash(message_id)] = None
