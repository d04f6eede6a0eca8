"""A server whose clock the tests set: what it stamps and keeps becomes older while it runs."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from filebot.localserver.server import LOOPBACK, Place

LIBRARY: Final = "usr/lib/*/faketime/libfaketimeMT.so.1"


class ServerClock:
    """Clock of one server, right until it is set. Its timers, which use another clock, do not notice."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "server clock"
        self._file.write_text("+0\n")

    @property
    def place(self) -> Place:
        """Where the server has to run."""
        [library] = Path("/").glob(LIBRARY)
        return replace(
            LOOPBACK,
            launcher=(
                "env",
                f"LD_PRELOAD={library}",
                f"FAKETIME_TIMESTAMP_FILE={self._file}",
                "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                "NO_FAKE_STAT=1",
            ),
        )

    def an_hour_passes(self) -> None:
        """Set the clock an hour ahead: what the server has kept so far is an hour old at once."""
        self._file.write_text("+3600\n")
