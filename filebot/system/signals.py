"""Signals of the operating system: which of them end the bot, and which do not."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger(__name__)

_STOP: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set; SIGHUP, which would end the process, is only logged.

    Afterwards all three are ignored: the process is about to end.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOP:
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _hang_up)
    try:
        yield stop
    finally:
        for number in (*_STOP, signal.SIGHUP):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


def _hang_up() -> None:
    # It comes from a closed terminal, or from an operator who expects a reload of the config.
    log.warning("SIGHUP is ignored: a changed config is read at the next start")
