"""Bound on what waits for the next session: slixmpp keeps all that is sent while there is none."""

import logging
from typing import Final

log = logging.getLogger(__name__)

MOST_BYTES: Final = 8 * 1024 * 1024
"""Size as XML; as objects it takes a few times as much. Answers to some hundred people."""


class OutageLimit:
    """Counts what waits."""

    def __init__(self) -> None:
        self._waiting_bytes = 0
        self._left_out = 0

    def admits(self, size_bytes: int) -> bool:
        """Return whether so much more may wait; if so, it counts."""
        if self._waiting_bytes + size_bytes > MOST_BYTES:
            self._left_out += 1
            return False
        self._waiting_bytes += size_bytes
        return True

    def over(self) -> None:
        """There is a session, and what waited is sent."""
        if self._left_out:
            log.error("not said: %d messages, as too much waited for the server", self._left_out)
        self._waiting_bytes = self._left_out = 0
