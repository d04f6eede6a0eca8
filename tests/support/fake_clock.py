"""Clocks of single processes that the tests set, by libfaketime."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from filebot.localserver.server import LOOPBACK, Place

LIBRARY: Final = "libfaketime.so.1"
FOR_THREADS: Final = "libfaketimeMT.so.1"
"""For programs that ask for the time in several threads, such as servers."""


def library(name: str = LIBRARY) -> Path:
    """Return the place of a library of libfaketime."""
    [found] = Path("/").glob(f"usr/lib/*/faketime/{name}")
    return found


class FakeClock:
    """Clock of one process, right until it is set. Its timers, which use another clock, do not notice."""

    def __init__(self, file: Path, library_name: str = LIBRARY) -> None:
        """``file`` is where the process reads its clock from."""
        self._file = file
        self._library = library(library_name)
        self.set("+0")

    def set(self, offset: str) -> None:
        """Set the clock, also while the process runs: ``+91d``, ``-3600``."""
        self._file.write_text(offset + "\n")

    @property
    def launcher(self) -> tuple[str, ...]:
        """Command in front of the process's own."""
        return (
            "env",
            f"LD_PRELOAD={self._library}",
            f"FAKETIME_TIMESTAMP_FILE={self._file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        )


class ServerClock(FakeClock):
    """Clock of one server: what it stamps and keeps becomes older while it runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "server clock", FOR_THREADS)

    @property
    def place(self) -> Place:
        """Where the server has to run."""
        return replace(LOOPBACK, launcher=self.launcher)

    def an_hour_passes(self) -> None:
        """Set the clock an hour ahead: what the server has kept so far is an hour old at once."""
        self.set("+3600")
