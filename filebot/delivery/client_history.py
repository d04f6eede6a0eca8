"""Client history: outcomes of recent attempts by client and method, and in-band rates.

Kept in memory for an hour, and bounded. A client is a full JID with the software behind it: another app on
the same resource begins anew.
"""

from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Final

from cachetools import FIFOCache

from filebot.model import Client, StreamMethod

KEPT_FOR: Final = timedelta(hours=1)
MOST: Final = 1000
"""Outcomes kept, and rates kept; the oldest are forgotten."""


@unique
class Outcome(Enum):
    """Outcome of the last attempt by a way to a client."""

    UNKNOWN = "unknown"
    WENT = "went"
    FAILED = "failed"


class ClientHistory:
    """Times are arguments; they must not go back by more than the clock of the machine does."""

    def __init__(self) -> None:
        self._outcomes = FIFOCache[tuple[str, str, StreamMethod], tuple[Outcome, datetime]](MOST)
        self._rates = FIFOCache[tuple[str, str], tuple[float, datetime]](MOST)
        self._last_rate: tuple[float, datetime] | None = None

    def note(self, client: Client, way: StreamMethod, *, went: bool, now: datetime) -> None:
        """Remember how an attempt ended, in place of the one before it."""
        outcome = Outcome.WENT if went else Outcome.FAILED
        self._outcomes[client.jid, client.software, way] = outcome, now

    def outcome(self, client: Client, way: StreamMethod, now: datetime) -> Outcome:
        """Return the outcome of the last attempt, if it is not too old."""
        outcome, at = self._outcomes.get((client.jid, client.software, way), (Outcome.UNKNOWN, now))
        return outcome if now - at <= KEPT_FOR else Outcome.UNKNOWN

    def note_rate(self, client: Client, bytes_per_s: float, now: datetime) -> None:
        """Remember an in-band rate of a client; a value that is no rate is ignored."""
        if bytes_per_s > 0:
            self._last_rate = self._rates[client.jid, client.software] = bytes_per_s, now

    def rate(self, client: Client, now: datetime) -> float | None:
        """Return the in-band rate in bytes per second: this client's, else the last that was measured.

        In-band streams are slowed most by the limits of the bot's own server, the same for every client.
        """
        own = self._rates.get((client.jid, client.software))
        for measured in (own, self._last_rate):
            if measured is not None and now - measured[1] <= KEPT_FOR:
                return measured[0]
        return None
