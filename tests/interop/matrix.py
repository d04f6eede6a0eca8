"""Cells that are tested with the bot, and their table in docs/interop.md.

``python -m tests.interop.matrix`` runs the tests of the matrix and writes the file from what they report.
Each test checks its own cell of the committed file, so the file cannot claim what a run does not show.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.interop.desktop import packaged
from tests.interop.peers import GLOOX, PURPLE, Method, version
from tests.interop.trace import MoveBy

FILE: Final = Path(__file__).parents[2] / "docs/interop.md"
TESTS: Final = tuple(
    Path(__file__).with_name(f"test_{name}.py") for name in ("matrix", "desktop", "jingle")
)
WRITING: Final = "FILEBOT_WRITE_INTEROP"
PROPERTY: Final = "interop"

SIZES: Final = {0: "0 bytes", 1: "1 byte", 1_000_000: "1 MB", 50_000_000: "50 MB"}
CLIENTS: Final = {"purple": "libpurple", "gloox": "gloox", "dino": "Dino", "gajim": "Gajim"}
METHODS: Final[dict[Method | MoveBy, str]] = {
    Method.PROXY: "SOCKS5, proxy",
    Method.DIRECT: "SOCKS5, direct",
    Method.IBB: "IBB",
    Method.BROKEN: "SOCKS5 fails, then IBB",
    MoveBy.UPLOAD: "HTTP upload",
    MoveBy.PROXY: "Jingle, SOCKS5, proxy",
    MoveBy.DIRECT: "Jingle, SOCKS5, direct",
    MoveBy.IBB: "Jingle, IBB",
}
UNTESTED: Final = "–"
NOTES: Final = "## Notes on clients\n"
"""Heading of the first section that is written by hand, as all after it are."""


class Direction(StrEnum):
    """Direction in which a file moves, and the reason."""

    SENDS = "sends"
    GETS = "gets, by METHOD"
    UNASKED = "gets, no upload service"
    LINK = "gets a link"


class Outcome(StrEnum):
    """Outcome that a cell states."""

    SAME = "yes"
    REFUSED = "refused"
    NOT_OFFERED = "not offered"
    FAILS = "fails"


class Cell(NamedTuple):
    """Cell of the matrix."""

    client: str
    direction: Direction
    method: Method | MoveBy
    size: int

    @property
    def row(self) -> tuple[str, str, str]:
        return CLIENTS[self.client], self.direction, METHODS[self.method]

    def __str__(self) -> str:
        return f"{self.client} {self.direction.name} {self.method.value} {self.size}"

    @property
    def slow(self) -> bool:
        """Return whether the transfer is slow: one block of 4096 bytes for each round trip."""
        return self.method is Method.IBB and self.size > 10_000_000


def _cells_of_programs() -> Iterable[Cell]:
    for client in ("purple", "gloox"):
        for method in (Method.PROXY, Method.DIRECT, Method.IBB):
            for size in SIZES:
                yield Cell(client, Direction.SENDS, method, size)
                if size:
                    yield Cell(client, Direction.GETS, method, size)
                if size in {1, 1_000_000}:
                    yield Cell(client, Direction.UNASKED, method, size)
    # gloox does not fall back to another method.
    for direction in (Direction.SENDS, Direction.UNASKED):
        for size in (1, 1_000_000):
            yield Cell("purple", direction, Method.BROKEN, size)


def _cells_of_desktops() -> Iterable[Cell]:
    for client in ("dino", "gajim"):
        for size in (1, 1_000_000):
            yield Cell(client, Direction.SENDS, MoveBy.UPLOAD, size)
            yield Cell(client, Direction.LINK, MoveBy.UPLOAD, size)
            for way in (MoveBy.PROXY, MoveBy.DIRECT, MoveBy.IBB):
                yield Cell(client, Direction.SENDS, way, size)
                if size > 1 or client == "dino":
                    yield Cell(client, Direction.UNASKED, way, size)


CELLS: Final = (*_cells_of_programs(), *_cells_of_desktops())

HEAD: Final = """\
# Interoperability

Clients that were written elsewhere exchange files with filebot: {clients}.

`python -m tests.interop.matrix` writes this page from the tests in `tests/interop/test_matrix.py`,
`test_desktop.py` and `test_jingle.py`. Each of them checks its cell here. "yes" means that the bot and
the client report success, by this method and no other, and that the SHA-256 is the same on both sides.

"""

FOOT: Final = """

* **0 bytes**: filebot keeps no empty files. It refuses the offer and says why in the chat. gloox and
  Pidgin do not offer empty files; the test program on libpurple does.
* **gets, by METHOD**: the person types `get NAME by socks5` or `get NAME by ibb`, on a server with an
  upload service. Whether SOCKS5 is direct or by the server's proxy (XEP-0065) depends on the addresses
  that the client can reach.
* **gets, no upload service**: the person types `get NAME`, and the bot sends by a stream.
* **SOCKS5 fails, then IBB**: no stream host can be reached. libpurple opens, or awaits, an in-band
  bytestream with the same sid. gloox gives up.
* **Dino and Gajim** run as packaged by Debian, on a virtual display, and choose the method themselves.
* **not offered**: gloox offers no empty file. filebot offers none to Gajim, which as receiver (1.7)
  acknowledges an offer by Jingle, fails inside and shows nothing. It says so once and keeps the file for
  another app.
* **fails**: Dino 0.4 as receiver fails at the beginning of an in-band stream, and acknowledges every
  block nevertheless (dino#1554). filebot does not try that method, says that the file did not get
  through, and tries again later.

"""


def render(outcomes: Mapping[Cell, Outcome], clients: str) -> str:
    """Return the text of the file. A cell without an outcome was not tested."""
    lines = [["client", "direction", "method", *SIZES.values()], ["---"] * (3 + len(SIZES))]
    for client, direction, method in dict.fromkeys((c.client, c.direction, c.method) for c in CELLS):
        cells = [Cell(client, direction, method, size) for size in SIZES]
        lines.append([*cells[0].row, *(str(outcomes.get(cell, UNTESTED)) for cell in cells)])
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return HEAD.format(clients=clients) + table + FOOT + _written_by_hand()


def _written_by_hand() -> str:
    """Return the sections of the file that no run writes."""
    _, notes, text = FILE.read_text(encoding="utf-8").partition(NOTES)
    return notes + text


def committed() -> dict[Cell, str]:
    """Return the committed outcomes of the cells that are tested."""
    by_row = {cell.row: cell for cell in CELLS}
    found: dict[Cell, str] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        client, direction, method, *cells = [word.strip() for word in line.strip("|").split("|")] + [""] * 3
        some = by_row.get((client, direction, method))
        if some is not None:
            found |= {some._replace(size=size): words for size, words in zip(SIZES, cells, strict=False)}
    return {cell: words for cell, words in found.items() if words != UNTESTED}


class Collector:
    """Pytest plugin that collects the results of the matrix's tests."""

    def __init__(self) -> None:
        self.outcomes: dict[Cell, Outcome] = {}
        self._cells = {str(cell): cell for cell in CELLS}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name == PROPERTY:
                    cell, _, outcome = str(value).partition(": ")
                    self.outcomes[self._cells[cell]] = Outcome(outcome)


def main() -> int:
    """Run the matrix and write the file if no test failed."""
    os.environ[WRITING] = "yes"
    collector = Collector()
    code = pytest.main([*map(str, TESTS), "-q", *sys.argv[1:]], plugins=[collector])
    if code == 0:
        clients = (
            f"libpurple {version(PURPLE)} (that of Pidgin and Finch), gloox {version(GLOOX)},"
            f" Dino {packaged('dino-im')} and Gajim {packaged('gajim')}"
        )
        FILE.write_text(render(collector.outcomes, clients), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
