"""Lists of files as people saw them last, so that a number can mean a place in them.

Held in memory only. Nothing is allowed by it: a file that is found here is looked up with the rights of the
person who names its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from filebot.concurrency.bounded_store import ByteBounded, Share
from filebot.model import Address, Sender

MEANT_FOR: Final = timedelta(minutes=10)
"""Age of the oldest list in which a number is a place."""
MOST_PLACES: Final = 200
"""Places of one list that are remembered, the last ones: each takes some 40 bytes."""
LISTS_BYTES: Final = 8 * 1024 * 1024
"""Memory for the lists of all people; the oldest are forgotten."""
MOST_LISTS: Final = 4000
_IN_A_ROOM: Final = 4
"""Part of both that all people of one room have: its service can make up any number of them."""
_OF_A_PERSON_BYTES: Final = 64 * 1024
_OF_A_PERSON: Final = 8
"""Places, private or rooms, in which one person's lists are remembered."""


@dataclass(frozen=True, slots=True)
class _Shown:
    ids: tuple[int, ...]
    first: int
    """The number of the first of them."""
    since: datetime


class ShownLists:
    """Ids of files by person, conversation and place in the list shown last, and those spoken of last."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """``clock`` gives the present in UTC."""
        self._clock = clock
        self._lists = ByteBounded[tuple[Address, str], _Shown]()
        self._spoken_of = ByteBounded[tuple[Address, str], _Shown]()

    def show(self, sender: Sender, ids: Sequence[int], *, first: int = 1) -> None:
        """Remember what somebody was shown; from a ``first`` number on, it goes on with the list so far."""
        before, since = self._lists.get(_key(sender)), self._clock()
        all_ids, start = tuple(ids), first
        if first > 1 and before is not None and before.first + len(before.ids) == first:
            all_ids, start = (*before.ids, *ids), before.first
        if (excess := len(all_ids) - MOST_PLACES) > 0:
            all_ids, start = all_ids[excess:], start + excess
        self._lists.put(_key(sender), _Shown(all_ids, start, since), _shares(sender))

    def at(self, sender: Sender, place: int, *, late: bool = False) -> int | None:
        """Return the id of the file at a place of the last list; ``late``: however old the list is."""
        shown = self._lists.get(_key(sender))
        if shown is None or not (late or self._clock() - shown.since <= MEANT_FOR):
            return None
        index = place - shown.first
        return shown.ids[index] if 0 <= index < len(shown.ids) else None

    def shown(self, sender: Sender) -> tuple[int, ...]:
        """Return the ids of the last list, in its order; none if it is too old."""
        found = self._lists.get(_key(sender))
        return found.ids if found is not None and self._clock() - found.since <= MEANT_FOR else ()

    def speak_of(self, sender: Sender, ids: Sequence[int]) -> None:
        """Remember of which files somebody spoke, or was told of."""
        if ids:
            some = tuple(ids)[:MOST_PLACES]
            self._spoken_of.put(_key(sender), _Shown(some, 1, self._clock()), _shares(sender))

    def spoken_of(self, sender: Sender) -> tuple[int, ...]:
        """Return the ids of the files spoken of last; none if that is too long ago."""
        found = self._spoken_of.get(_key(sender))
        return found.ids if found is not None and self._clock() - found.since <= MEANT_FOR else ()


def _key(sender: Sender) -> tuple[Address, str]:
    return sender.address.conversation, sender.rate_key


def _shares(sender: Sender) -> list[Share]:
    shares = [
        Share("", LISTS_BYTES, MOST_LISTS),
        Share((sender.rate_key,), _OF_A_PERSON_BYTES, _OF_A_PERSON),
    ]
    if sender.room is not None:
        shares.append(Share(sender.room, LISTS_BYTES // _IN_A_ROOM, MOST_LISTS // _IN_A_ROOM))
    return shares
