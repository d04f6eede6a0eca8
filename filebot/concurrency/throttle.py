"""Throttling: at most one of the same thing in a period."""

from collections.abc import Hashable
from typing import Final

from cachetools import TTLCache

MINUTE_S: Final = 60.0
DAY_S: Final = 86_400.0
MOST_KEYS: Final = 10_000


class Throttle:
    """Filter that each key passes once in a period.

    Of more keys than it remembers, the oldest pass again early.
    """

    def __init__(self, period_s: float, most: int = MOST_KEYS) -> None:
        # Keys may be long, as what rooms call their people is: only their hashes are kept.
        self._passed: TTLCache[int, None] = TTLCache(most, period_s)

    def passes(self, *key: Hashable) -> bool:
        """Return whether nothing of this key has passed in the period, and let it pass."""
        if self.has_passed(*key):
            return False
        self.note(*key)
        return True

    def has_passed(self, *key: Hashable) -> bool:
        """Return whether something of this key has passed in the period."""
        return hash(key) in self._passed

    def note(self, *key: Hashable) -> None:
        """Begin the period of this key."""
        self._passed[hash(key)] = None
