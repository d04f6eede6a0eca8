"""Signals of the operating system: which of them end the bot, and which do not."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

_STOP: Final = (signal.SIGTERM, signal.SIGINT)


class Signals(NamedTuple):
    """Events that signals set."""

    stop: asyncio.Event
    """By SIGTERM and SIGINT."""
    reload: asyncio.Event
    """By SIGHUP, which comes from an operator or from a terminal that is closed."""


@contextmanager
def received_signals() -> Iterator[Signals]:
    """Events that signals set. Afterwards these are ignored: the process is about to end."""
    signals, loop = Signals(asyncio.Event(), asyncio.Event()), asyncio.get_running_loop()
    for number in _STOP:
        loop.add_signal_handler(number, signals.stop.set)
    loop.add_signal_handler(signal.SIGHUP, signals.reload.set)
    try:
        yield signals
    finally:
        for number in (*_STOP, signal.SIGHUP):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
