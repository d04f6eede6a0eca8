"""Retractions (XEP-0424) and moderations (XEP-0425): what came by a message goes with it.

Theory of operation. Three things may be found when a message is taken back:

* its file is kept: the entry is removed, unless another message of the same person brought it as well;
* its file is on its way: the transfer is stopped, or, if all its bytes are there, no row is made;
* the message is not known yet, as it waits for its turn or comes out of an archive: the retraction is
  remembered for a while, and a file that comes by that message later is not taken.

Whose retraction counts: that of the author of the message, by JID or occupant-id, and that of the room.
Nothing else is removed: not what others own, nor what the person shared elsewhere.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cachetools import TTLCache

from filebot.errors import FileGone
from filebot.events.facts import Actor, RemovalReason
from filebot.files.intake import Destination, IntakeResult
from filebot.files.removal import Removal
from filebot.files.shown_files import ShownFiles, keys_of, retracted_keys
from filebot.model import Entry, Identity, PostedMessage, Retraction
from filebot.ports import Entries

log = logging.getLogger(__name__)

MOST_EARLY: Final = 10_000
"""Retractions that are remembered for messages that may still come; each takes about 300 bytes."""
MOST_EARLY_OF_ONE: Final = 200
"""Bound for one person, so that nobody displaces the retractions of others."""
EARLY_FOR_S: Final = 24 * 3600.0
LIVE_FOR_S: Final = 600.0
"""Time for which a live message counts as taken back before: its other files may still be waiting.

Later, it is another message with the same id: some clients number theirs from 1.
"""


@dataclass(eq=False, slots=True)
class _Coming:
    """File on its way that a message brings."""

    message: PostedMessage
    keys: frozenset[str]
    task: "asyncio.Task[object] | None"
    is_there: bool = False
    """All its bytes are: it is not stopped any more, but no row is made."""
    taken_back: Retraction | None = None
    stopped: bool = False

    def stop(self, retraction: Retraction) -> None:
        if self.taken_back is not None:
            return
        self.taken_back = retraction
        if self.task is not None and not self.is_there:
            self.stopped = True
            self.task.cancel()

    def check(self) -> None:
        """Raise FileGone if the message was taken back; to be called when all bytes are there."""
        self.is_there = True
        if self.taken_back is not None:
            raise FileGone


@dataclass(slots=True)
class _Early:
    """Retractions of messages that are not known, by the keys of their ids."""

    kept: TTLCache[tuple[str, Identity], tuple[Retraction, float]] = field(
        default_factory=lambda: TTLCache(MOST_EARLY, EARLY_FOR_S)
    )
    of_one: TTLCache[str, list[tuple[str, Identity]]] = field(
        default_factory=lambda: TTLCache(MOST_EARLY, EARLY_FOR_S)
    )

    def put(self, retraction: Retraction) -> None:
        author = _author(retraction)
        who = author or retraction.sender.rate_key
        theirs = self.of_one.get(who, [])
        for key in retracted_keys(retraction):
            self.kept[key, author] = retraction, self.kept.timer()
            theirs.append((key, author))
        while len(theirs) > MOST_EARLY_OF_ONE:
            self.kept.pop(theirs.pop(0), None)
        self.of_one[who] = theirs

    def has(self, message: PostedMessage, *, came_late: bool) -> bool:
        """Whether a message was taken back before; ``came_late``: it may be older than it looks."""
        since = 0.0 if came_late else self.kept.timer() - LIVE_FOR_S
        found = (self.kept.get((key, who)) for key in keys_of(message) for who in (message.author, ""))
        return any(each is not None and each[1] >= since for each in found)


class Retractions:
    """Takes files back with the messages that brought them."""

    def __init__(self, entries: Entries, removal: Removal, shown_files: ShownFiles) -> None:
        self._entries = entries
        self._removal = removal
        self._shown_files = shown_files
        self._coming: set[_Coming] = set()
        self._early = _Early()

    async def take(
        self,
        message: PostedMessage | None,
        destination: Destination,
        take: Callable[[Destination], Awaitable[IntakeResult]],
    ) -> IntakeResult:
        """Take a file in that a message brings, by a function that is given the destination.

        Raises FileGone if the message is taken back before the file is kept, and what ``take`` raises.
        """
        if message is None:
            return await take(destination)
        if self._early.has(message, came_late=destination.came_late):
            raise FileGone
        coming = _Coming(message, frozenset(keys_of(message)), asyncio.current_task())
        self._coming.add(coming)

        def recheck() -> None:
            coming.check()
            destination.recheck()

        try:
            result = await take(
                replace(destination, recheck=recheck, is_wanted=lambda: coming.taken_back is None)
            )
            await self._shown_files.brought(message, result.entry.id, again=result.already_known)
        except asyncio.CancelledError:
            if not coming.stopped or coming.task is None or coming.task.uncancel():
                raise
            raise FileGone from None
        finally:
            self._coming.discard(coming)
        if coming.taken_back is not None:  # between the row and this
            await self.take_back(coming.taken_back)
            raise FileGone
        return result

    async def take_back(self, retraction: Retraction) -> Sequence[Entry]:
        """Remove what came by a message that is taken back; return the entries.

        FileRemoved tells of each. Raises StorageError.
        """
        self._early.put(retraction)
        author, keys = _author(retraction), frozenset(retracted_keys(retraction))
        for each in list(self._coming):
            if each.keys & keys and author in {"", each.message.author}:
                log.info("a file on its way is taken back")
                each.stop(retraction)
        removed = list[Entry]()
        for found in self._shown_files.taken_back(retraction):
            if not await self._shown_files.forget(found):
                continue
            entry = await self._entries.entry(found.entry_id)
            if entry is not None:
                reason = RemovalReason.MODERATION if retraction.is_moderation else RemovalReason.RETRACTION
                await self._removal.remove(entry, reason, Actor(retraction.sender.privately))
                removed.append(entry)
        return removed


def _author(retraction: Retraction) -> Identity:
    """Return whose messages can be taken back so; empty for all in the room."""
    return "" if retraction.by_room else retraction.sender.author or "\0"
