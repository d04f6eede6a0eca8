"""Services that a source of bytes is given; its factory is an entry point in the group filebot.sources."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from filebot.ports import HttpTransfer


@dataclass(frozen=True, slots=True)
class SourceServices:
    """Services for sources of bytes."""

    connect: Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
    """Connects to a host and port by TCP, under the operator's address policy. Raises TransferError."""
    http: HttpTransfer
    """The bot's own client of the web."""
    idle_s: float
    """Seconds without progress after which a transfer is given up."""
