"""Backends that installed packages bring: what their factories are given, and scanners of files."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filebot.ports.transfer import HttpTransfer


@dataclass(frozen=True, slots=True)
class BackendServices:
    """Values for factories of blob stores, inspectors and scanners."""

    url: str
    """The backend as the config names it; its scheme is the name of the entry point."""
    data_dir: Path
    """The bot's own folder, which no other process uses."""
    idle_s: float
    """Seconds without progress after which a transfer is given up (``limits.idle_timeout``)."""


@dataclass(frozen=True, slots=True)
class SourceServices:
    """Services for sources of bytes."""

    connect: Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
    """Connects to a host and port by TCP, under the operator's address policy. Raises TransferError."""
    http: HttpTransfer
    """The bot's own client of the web."""
    idle_s: float
    """Seconds without progress after which a transfer is given up."""


class Scanner(Protocol):
    """Scanner of received files for what is not to be kept."""

    async def scan(self, file: Path) -> str | None:
        """Return the name of what is found in a file, or None if nothing is.

        The file is complete, and is only to be read; it is there while the call runs. Raises whatever keeps
        it from being scanned: then it is not kept.
        """
