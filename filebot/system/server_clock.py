"""The bot's clock: the server's time as soon as the server has told it, the machine's until then.

Between two answers of the server, time is counted by a clock that nobody sets. So a machine whose clock is
wrong, or is set while the bot runs, changes nothing of what the bot notes or judges.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def machine_now() -> datetime:
    """The machine's own time, in UTC."""
    return datetime.now(UTC)


def seconds_passed() -> float:
    """Seconds of a clock that never jumps; on Linux it counts while the machine sleeps, too."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@dataclass(frozen=True, slots=True)
class ServerTime:
    """A time that the server has told, in UTC."""

    at: datetime
    exact: bool = True
    """Otherwise it is the newest stamp of the server's: its time is that, or later."""


class ServerClock:
    """Call it for the present, in UTC."""

    def __init__(
        self,
        machine: Callable[[], datetime] = machine_now,
        passed: Callable[[], float] = seconds_passed,
    ) -> None:
        self.machine = machine
        """The machine's own time."""
        self.is_told = False
        """Whether the server has told its exact time."""
        self._passed = passed
        self._base: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        if self._base is None:
            return self.machine()
        at, then_s = self._base
        return at + timedelta(seconds=self._passed() - then_s)

    def told(self, time: ServerTime) -> None:
        """Take what the server says just now. A mere stamp only moves a clock that is behind it."""
        if time.exact:
            self.is_told = True
        elif self.is_told or self() >= time.at:
            return
        self._base = (time.at, self._passed())
