"""Whether anything may be removed because of its age.

A machine whose clock is wrong would find everything too old at once. So nothing goes before the server has
told its time and the machine's clock agrees with it. Asked at each look: clocks are also set while the bot
runs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from filebot.system.server_clock import ServerTime

log = logging.getLogger(__name__)

MOST_APART: Final = timedelta(minutes=10)
OLDEST_STAMP: Final = timedelta(days=1)
"""A server that tells its time by stamps alone has stamped nothing newer for so long at most."""
LOOK_EVERY_S: Final = 3600.0
LOOK_AGAIN_S: Final = 60.0
"""After a look at which nothing could be removed."""


async def look_every_hour(look: Callable[[], Awaitable[bool]]) -> None:
    """Remove what is too old, now and every hour, for ever; sooner again while the time is not certain.

    ``look`` removes it, and returns whether the time was certain.
    """
    while True:
        is_certain = await look()
        await asyncio.sleep(LOOK_EVERY_S if is_certain else LOOK_AGAIN_S)


class TrustedTime:
    """Compares the machine's clock with the server's."""

    def __init__(
        self, ask: Callable[[], Awaitable[ServerTime | None]], machine: Callable[[], datetime]
    ) -> None:
        """``ask`` asks the server for its time; None if it is not to be had just now."""
        self._ask = ask
        self._machine = machine
        self._warned = False

    async def now(self) -> datetime | None:
        """The time by which things may be removed; None, and a line in the log, if there is none."""
        told = await self._ask()
        if told is None:
            log.info("the server does not tell its time: nothing is removed for its age yet")
            return None
        machine = self._machine()
        if not _agree(machine, told):
            if not self._warned:
                log.warning(
                    "this machine's clock says %s, the server's %s: nothing is removed for its age until "
                    "they agree; set the clock",
                    _shown(machine),
                    _shown(told.at),
                )
            self._warned = True
            return None
        if self._warned:
            log.info("this machine's clock and the server's agree again")
        self._warned = False
        return min(machine, told.at) if told.exact else machine


def _agree(machine: datetime, told: ServerTime) -> bool:
    latest = told.at + (MOST_APART if told.exact else OLDEST_STAMP)
    return told.at - MOST_APART <= machine <= latest


def _shown(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
