"""Schedules: when something that is done again and again is due next."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Protocol

SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=31)
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_INTERVAL: Final = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m)?", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Schedule(Protocol):
    """Rule by which something is done again and again."""

    @property
    def rule(self) -> str:
        """The rule as a text: another text is another rule."""

    def first(self, now: datetime) -> datetime:
        """Return when it is due at the latest after a start of the bot."""

    def after(self, due: datetime, now: datetime) -> datetime:
        """Return when it is due again, after it was due at ``due``: always later than ``now``.

        So what was missed, however often, is not made up for.
        """


@dataclass(frozen=True, slots=True)
class Every:
    """Schedule with the same pause between any two times."""

    interval: timedelta
    at_start: bool = False
    """It is due at each start, too."""

    @classmethod
    def parse(cls, text: str, *, at_start: bool = False) -> "Every":
        """Read an interval such as ``30m``, ``1h`` or ``1d12h``. Raises ValueError."""
        match = _INTERVAL.fullmatch(text)
        if match is None or not text:
            raise ValueError(f'{text!r} is no interval; write it like "30m", "1h", "1d12h" or "7d"')
        days, hours, minutes = (int(number or 0) for number in match.groups())
        interval = timedelta(days=days, hours=hours, minutes=minutes)
        if not SHORTEST <= interval <= LONGEST:
            raise ValueError(f'{text!r} is not between one minute ("1m") and 31 days ("31d")')
        return cls(interval, at_start)

    @property
    def rule(self) -> str:
        return f"every {self.interval.total_seconds():.0f} s"

    def first(self, now: datetime) -> datetime:
        return now if self.at_start else now + self.interval

    def after(self, due: datetime, now: datetime) -> datetime:
        missed = max((now - due) // self.interval, 0)
        return due + (missed + 1) * self.interval


@dataclass(frozen=True, slots=True)
class Daily:
    """Schedule of once a day at a local time, or once a week on one day.

    On a day whose clock skips that time it is due later by as much as is skipped; on a day that has the
    time twice, the first time.
    """

    at: time
    zone: tzinfo | None = None
    """None for the machine's own."""
    weekday: str | None = None
    """None for all."""

    @classmethod
    def parse(cls, text: str, zone: tzinfo | None = None, *, weekday: str | None = None) -> "Daily":
        """Read a time such as ``08:00``, and a weekday such as ``monday``. Raises ValueError."""
        match = _TIME.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is no time of day; write it like "08:00"')
        if weekday is not None and weekday not in WEEKDAYS:
            raise ValueError(f"{weekday!r} is no weekday; write one of {', '.join(WEEKDAYS)}")
        return cls(time(int(match[1]), int(match[2])), zone, weekday)

    @property
    def rule(self) -> str:
        return f"daily at {self.at:%H:%M}" + (f" on {self.weekday}" if self.weekday else "")

    def first(self, now: datetime) -> datetime:
        day = now.astimezone(self.zone).date()
        while True:
            due = datetime.combine(day, self.at, self.zone).astimezone(UTC)
            if due > now and self.weekday in {None, WEEKDAYS[day.weekday()]}:
                return due
            day += timedelta(days=1)

    def after(self, due: datetime, now: datetime) -> datetime:
        return self.first(max(due, now))
