"""Client history: which ways to clients worked lately, and how fast they were in-band.

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
"""Outcomes, and rates; the oldest are forgotten."""


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
        """Return how the last attempt ended, if that is not long ago."""
        outcome, at = self._outcomes.get((client.jid, client.software, way), (Outcome.UNKNOWN, now))
        return outcome if now - at <= KEPT_FOR else Outcome.UNKNOWN

    def note_rate(self, client: Client, bytes_per_s: float, now: datetime) -> None:
        """Remember how fast bytes went to a client in-band; what is no rate is ignored."""
        if bytes_per_s > 0:
            self._last_rate = self._rates[client.jid, client.software] = bytes_per_s, now

    def rate(self, client: Client, now: datetime) -> float | None:
        """Return the bytes a second in-band: to this client, else to whichever was measured last.

        What slows in-band streams most are the limits of the bot's own server, the same for everybody.
        """
        own = self._rates.get((client.jid, client.software))
        for measured in (own, self._last_rate):
            if measured is not None and now - measured[1] <= KEPT_FOR:
                return measured[0]
        return None
