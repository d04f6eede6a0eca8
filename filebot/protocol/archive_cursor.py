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

An id is not enough to know a message by. ejabberd takes the time in microseconds for it, and two people who
write at the same moment get the same one. So a message has a key: its id in the archive, with a digest of
its sender and of the sender's own id. The position is an id, as only those mean anything to the archive,
and moves past one when all messages known by it are handled.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from itertools import takewhile
from typing import Final
from xml.etree.ElementTree import Element

from cachetools import FIFOCache

from filebot.model import ArchivePosition

_SEPARATOR: Final = "\x1f"
"""Between id and digest: no XML document holds it."""

MOST: Final = 20_000
"""Messages after the position that are remembered: as many as may come while one of them is handled, such
as during a download of hours."""
MOST_CHARACTERS: Final = 2 * 1024 * 1024
"""Characters of remembered ids, in all: the service of a room may give long ones."""
MOST_PASSED: Final = 1_000
"""Messages before the position that are remembered, to recognize duplicates."""
SHOWN_WITHIN: Final = timedelta(minutes=2)
"""Time after which a message that the archive does not show counts as not archived."""


def message_key(archive_id: str, message: Element) -> str:
    """Return the key of a message: the same for a live one and for its copy in the archive."""
    told_apart_by = "\n".join((message.get("from", ""), message.get("id", "")))
    digest = blake2b(told_apart_by.encode(errors="surrogatepass"), digest_size=8)
    return f"{archive_id}{_SEPARATOR}{digest.hexdigest()}"


def id_of(key: str) -> str:
    """Return the id in the archive of the message with this key."""
    return key.partition(_SEPARATOR)[0]


def _has_id(archive_id: str, key: str) -> bool:
    return id_of(key) == archive_id


@dataclass(slots=True)
class _Message:
    at: datetime
    handled: bool
    placed: bool = False


class ArchiveCursor:
    """Position in one archive, whose messages are known by their keys (:func:`message_key`)."""

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
        """Characters of the keys in ``_messages``, in total."""
        self._passed = FIFOCache[int, None](MOST_PASSED)
        """Hashes of the keys of messages before the position, the oldest first."""
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

    def begin_after(self, archive_id: str, at: datetime) -> None:
        """Set the position to this id, unless a message with it is among those after the position."""
        if all(id_of(key) != archive_id for key in self._messages):
            self._position = replace(self._position, last_id=archive_id, at=at)

    def begin_at(self, at: datetime) -> None:
        """Set the position to a time, before everything that was archived since."""
        self._position = replace(self._position, last_id="", at=at)

    def missed(self, key: str, at: datetime) -> bool:
        """Take the archive's next message; return whether it has to be handled."""
        new = self._is_new(key, at)
        message = self._messages.get(key)
        if message is not None and not message.placed:
            message.placed = True
            message.at = at
            self._order.append(key)
            self._advance(up_to=id_of(key))  # the next may have the same id
        return new

    def live(self, key: str, at: datetime) -> bool:
        """Take a live message; return whether it has to be handled.

        If too many are open it is not remembered, and the archive shows it again.
        """
        if self._is_full and key not in self._messages:
            return hash(key) not in self._passed
        new = self._is_new(key, at)
        message = self._messages.get(key)
        if message is not None and not message.placed and self._in_order and not self._catching_up:
            message.placed = True
            self._order.append(key)
            self._advance()
        return new

    def caught_up(self, now: datetime) -> None:
        """End the catch-up: the archive has been read to its end."""
        self._catching_up = False
        self._ahead.clear()
        unplaced = [(key, message) for key, message in self._messages.items() if not message.placed]
        for key, message in unplaced:
            if self._in_order:
                message.placed = True
                self._order.append(key)
            elif message.handled and message.at + SHOWN_WITHIN < now:
                self._forget(key)
                self._pass(key)
        self._advance()

    def handled(self, key: str) -> None:
        """Note that a message is handled; an unknown one is ignored."""
        message = self._messages.get(key)
        if message is not None and not message.handled:
            message.handled = True
            self._open -= 1
            self._advance()

    @property
    def _is_full(self) -> bool:
        return len(self._messages) >= MOST or self._characters >= MOST_CHARACTERS

    def _forget(self, key: str) -> _Message:
        self._characters -= len(key)
        return self._messages.pop(key)

    def _is_new(self, key: str, at: datetime) -> bool:
        if key in self._messages or hash(key) in self._passed:
            return False
        # Until 0.2, ids alone were saved.
        before = key in self._ahead or id_of(key) in self._ahead
        self._messages[key] = _Message(at, handled=before)
        self._characters += len(key)
        self._open += not before
        return not before

    def _advance(self, up_to: str | None = None) -> None:
        """Move past what is handled at the beginning, but not past messages with the id ``up_to``."""
        while self._order:
            archive_id = id_of(self._order[0])
            same = [*takewhile(partial(_has_id, archive_id), self._order)]
            if archive_id == up_to or not all(self._messages[key].handled for key in same):
                return
            for key in same:
                self._order.popleft()
                self._position = replace(self._position, last_id=archive_id, at=self._forget(key).at)
                self._ahead.discard(key)
                self._pass(key)

    def _pass(self, key: str) -> None:
        self._passed[hash(key)] = None
