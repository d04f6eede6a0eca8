"""Handled messages of an archive, and the position before which all are handled.

Theory of operation. An archive has an order; work on its messages ends in any order. The position may only
be at a message before which all are handled: a reader of the archive from the position on, after a crash,
misses nothing. Messages handled ahead of the position are saved with it, so that they do not count as new.

In a new session it is unknown which messages came since the last one. So the archive is read from the
position on, and its messages are put in its order (``missed``). Live messages (``live``) are remembered
meanwhile, but have no place in that order until the archive shows them or has been read to its end
(``caught_up``).

Afterwards it depends on the archive. A room sends each message to everybody in it: live messages come in
the archive's order, without gaps (``in_order``). An account may have other clients, and the archive may
have messages between two live ones that went to another client alone. There only the archive gives places;
until it does, a handled message is saved with the position.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import FIFOCache

from filebot.model import ArchivePosition

MOST: Final = 20_000
"""Messages after the position that are remembered: as many as may come while one of them is handled, such
as during a download of hours."""
MOST_CHARACTERS: Final = 2 * 1024 * 1024
"""Characters of remembered ids, in all: the service of a room may give long ones."""
MOST_PASSED: Final = 1_000
"""Messages before the position that are remembered, to recognize duplicates."""
SHOWN_WITHIN: Final = timedelta(minutes=2)
"""Time after which a message that the archive does not show counts as not archived."""


@dataclass(slots=True)
class _Message:
    at: datetime
    handled: bool
    placed: bool = False


class ArchiveCursor:
    """Position in one archive. All ids are the archive's own (XEP-0359, stanza-id)."""

    def __init__(self, position: ArchivePosition, *, in_order: bool = True) -> None:
        """``position`` is the one that was saved last.

        ``in_order``: after the catch-up, live messages come in the archive's order and without gaps.
        """
        self._in_order = in_order
        self._position = position
        self._ahead = set(position.ahead)
        self._messages: dict[str, _Message] = {}
        self._order: deque[str] = deque()
        self._characters = 0
        """Characters of the ids in ``_messages``, in total."""
        self._passed = FIFOCache[int, None](MOST_PASSED)
        """Hashes of the ids of messages before the position, the oldest first."""
        self._catching_up = True
        self._open = 0

    @property
    def open(self) -> int:
        """Number of messages that are not handled yet."""
        return self._open

    @property
    def is_crowded(self) -> bool:
        """Whether no more of the archive can be remembered until some messages are handled."""
        # Messages without a place alone must not stop the reading: only the archive gives them one.
        return bool(self._order) and self._is_full

    @property
    def unplaced(self) -> bool:
        """Whether there are messages whose place only the archive can tell."""
        return any(not message.placed for message in self._messages.values())

    @property
    def position(self) -> ArchivePosition:
        """Position to save now."""
        done = {each for each, message in self._messages.items() if message.handled}
        return replace(self._position, ahead=frozenset(done | self._ahead))

    def begin(self) -> None:
        """Begin to catch up: the archive is going to be read from the position on."""
        self._catching_up = True
        self._order.clear()
        for message in self._messages.values():
            message.placed = False

    def begin_after(self, message_id: str, at: datetime) -> None:
        """Set the position to this message, unless it is among those after the position."""
        if message_id not in self._messages:
            self._position = replace(self._position, last_id=message_id, at=at)

    def begin_at(self, at: datetime) -> None:
        """Set the position to a time, before everything that was archived since."""
        self._position = replace(self._position, last_id="", at=at)

    def missed(self, message_id: str, at: datetime) -> bool:
        """Take the archive's next message; return whether it has to be handled."""
        new = self._is_new(message_id, at)
        message = self._messages.get(message_id)
        if message is not None and not message.placed:
            message.placed = True
            message.at = at
            self._order.append(message_id)
            self._advance()
        return new

    def live(self, message_id: str, at: datetime) -> bool:
        """Take a live message; return whether it has to be handled.

        If too many are open it is not remembered, and the archive shows it again.
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
        """End the catch-up: the archive has been read to its end."""
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
        """Note that a message is handled; an unknown one is ignored."""
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
