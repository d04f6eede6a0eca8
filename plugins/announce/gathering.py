"""Gathering of new files: which a room has not heard of yet, and when it shall.

It hears of a file soon, but of all files that came meanwhile at once, and ever more seldom while more keep
coming. Files are gathered in batches: the announcement of one is under way when the next begins.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

GATHER_S: Final = 20.0
"""Time between a new file and its announcement, in which more may come."""
LONGEST_PAUSE_S: Final = 1280.0
"""Pause after an announcement; the first is twice ``GATHER_S``, and each that soon follows another twice as
long as the one before."""
MOST_IDS: Final = 500
"""Files of one room that are remembered one by one; of more, only the number is."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """New files of one room. Moments are in seconds since the epoch."""

    batch: int = 1
    """Number of the batch to which the next file belongs."""
    ids: tuple[int, ...] = ()
    """Files that the room has not heard of yet."""
    more: int = 0
    """Number of further ones."""
    due_at: float | None = None
    """When the batch is announced; None while it is empty."""
    pause_s: float = 0.0
    """Pause before the announcement after that one."""
    free_at: float = 0.0
    """Moment before which nothing more is announced."""

    @classmethod
    def read(cls, kept: Mapping[str, Any] | None) -> "Gathering":
        """Return what was kept; empty if nothing was."""
        return cls() if kept is None else cls(**{**kept, "ids": tuple(kept["ids"])})

    def kept(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return asdict(self) | {"ids": list(self.ids)}

    def plus(self, entry_id: int, now: float) -> "Gathering":
        """Return it with one more file. One that is in it already changes nothing."""
        opened = self if self.due_at is not None else self._opened(now)
        if entry_id in self.ids:
            return opened
        if len(self.ids) >= MOST_IDS:
            return replace(opened, more=self.more + 1)
        return replace(opened, ids=(*self.ids, entry_id))

    def wait_s(self, now: float) -> float:
        """Return the time until the batch is announced, bounded also where a clock was set."""
        return 0.0 if self.due_at is None else min(max(self.due_at - now, 0.0), LONGEST_PAUSE_S)

    def closed(self, number: int, now: float) -> "Gathering":
        """Return it when the batch of this number is being announced: the next file begins another one."""
        if number < self.batch:  # it failed before
            return self
        return replace(self, batch=number + 1, due_at=None, free_at=now + self.pause_s)

    def without(self, told: "Gathering") -> "Gathering":
        """Return it without files that the room has heard of."""
        ids = tuple(each for each in self.ids if each not in told.ids)
        return replace(self, ids=ids, more=max(self.more - told.more, 0))

    def _opened(self, now: float) -> "Gathering":
        keeps_coming = now < self.free_at <= now + LONGEST_PAUSE_S
        pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S) if keeps_coming else 2 * GATHER_S
        due_at = max(now + GATHER_S, self.free_at) if keeps_coming else now + GATHER_S
        return replace(self, due_at=due_at, pause_s=pause_s)
