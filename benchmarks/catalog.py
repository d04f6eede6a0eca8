"""The catalog against plain aiosqlite, and against itself with fewer rows.

``python -m benchmarks.catalog [rows]``: ``rows`` is the large size, 1,000,000 unless told. Only the ratios
mean anything; the times are those of this machine at this moment.
"""

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiosqlite

from filebot.catalog import open_catalog
from filebot.catalog.mapping import entry_columns
from filebot.model import BlobRef, NewEntry, Scope
from filebot.ports import Catalog

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TASKS = 16
ADDED = 2_000
ROUNDS = 5
ASKED = 300
BIG = Scope(room="everybody@rooms.example.org")
"""Has two thirds of all rows; the others belong to a thousand people."""
SMALL = Scope(owner="person7@example.org")

Ask = Callable[[Catalog], Awaitable[object]]


# --- rows ---------------------------------------------------------------------------------------


class Library:
    """File names and captions made of a few thousand words, some far commoner than others."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = [
            "".join(self._random.choices(letters, k=length)) for length in range(4, 12) for _ in range(500)
        ]
        self._random.shuffle(self.words)

    def word(self) -> str:
        """A word; the first of the list most often."""
        return self.words[int(len(self.words) * self._random.random() ** 4)]

    def entry(self, number: int) -> NewEntry:
        """A new file of somebody."""
        name = f"{self.word()}-{self.word()}-{number}.{self._random.choice(['pdf', 'jpg', 'ods'])}"
        owner, room = f"person{number % 1000}@example.org", BIG.room if number % 3 else None
        caption = " ".join(self.word() for _ in range(4))
        return NewEntry(name, owner, room, caption, BlobRef(f"{number:064x}", number), "text/plain", NOW)

    def row(self, number: int) -> dict[str, Any]:
        """The same as columns, for SQLite itself."""
        moment = NOW.replace(tzinfo=None).isoformat(" ", "microseconds")
        return entry_columns(self.entry(number)) | {"created_at": moment, "modified_at": moment}


def insert_statement(row: dict[str, Any]) -> str:
    """An INSERT with named parameters for these columns."""
    return f"INSERT INTO entries ({', '.join(row)}) VALUES ({', '.join(f':{column}' for column in row)})"


async def filled(path: Path, rows: int) -> Path:
    """A catalog of so many rows, written quickly."""
    async with open_catalog(path):
        pass
    library = Library()
    with closing(sqlite3.connect(path)) as connection:
        for start in range(0, rows, 10_000):
            some = [library.row(number) for number in range(start, min(start + 10_000, rows))]
            connection.executemany(insert_statement(some[0]), some)
            connection.commit()
    return path


# --- writing ------------------------------------------------------------------------------------


async def in_tasks(add: Callable[[int], Awaitable[object]]) -> float:
    """Rows a second with 16 tasks that each wait for their row to be on disk."""
    numbers = iter(range(ADDED))

    async def work() -> None:
        for number in numbers:
            await add(number)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(TASKS)))
    return ADDED / (time.perf_counter() - start)


async def rows_by_catalog(path: Path) -> float:
    """Through the port."""
    library = Library()
    async with open_catalog(path) as catalog:
        return await in_tasks(lambda number: catalog.add(library.entry(number)))


async def rows_by_aiosqlite(path: Path) -> float:
    """The same table, triggers and pragmas; an INSERT and a COMMIT for each row."""
    library, lock = Library(), asyncio.Lock()
    async with open_catalog(path):
        pass
    async with aiosqlite.connect(path) as connection:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -8000",
        ):
            await connection.execute(f"PRAGMA {pragma}")

        async def add(number: int) -> None:
            row = library.row(number)
            async with lock:
                await connection.execute(insert_statement(row), row)
                await connection.commit()

        return await in_tasks(add)


async def compare_writing(folder: Path) -> None:
    """Print how many times as fast as aiosqlite; the two take turns."""
    ours, theirs = [], []
    for turn in range(ROUNDS):
        theirs.append(await rows_by_aiosqlite(folder / f"theirs{turn}.db"))
        ours.append(await rows_by_catalog(folder / f"ours{turn}.db"))
    print(
        f"durable rows, {TASKS} tasks   catalog {median(ours):6.0f}/s  aiosqlite {median(theirs):6.0f}/s",
        end="",
    )
    print(f"  ratio {median(ours) / median(theirs):.2f}  (goal >= 2)\n")


# --- reading ------------------------------------------------------------------------------------


def questions(rows: int) -> dict[str, Ask]:
    """Each draws its own words and numbers anew."""
    library, dice = Library(), random.Random(2)

    def before() -> int:
        return dice.randrange(1, rows + 2)

    return {
        "get by id": lambda c: c.entry(before()),
        "get by name": lambda c: c.named(BIG, library.entry(before()).name),
        "newest page": lambda c: c.page(BIG, limit=20),
        "next page": lambda c: c.page(BIG, limit=20, before=before()),
        "page, small scope": lambda c: c.page(SMALL, limit=20, before=before()),
        "search, common word": lambda c: c.search(BIG, library.words[dice.randrange(20) :][:1], limit=20),
        "search, any word": lambda c: c.search(BIG, [library.word()], limit=20),
        "search, rare word": lambda c: c.search(BIG, [library.words[-dice.randrange(1, 500)]], limit=20),
        "search, two words": lambda c: c.search(BIG, [library.word(), library.word()], limit=20),
        "search, miss": lambda c: c.search(BIG, [f"zq{library.word()}"], limit=20),
        "search, small scope": lambda c: c.search(SMALL, [library.word()], limit=20),
        "search, two letters": lambda c: c.search(BIG, [library.word()[:2]], limit=20),
        "pattern *x*.pdf": lambda c: c.matching(BIG, f"*{library.word()}*.pdf", 20),
        "prefix": lambda c: c.starting(BIG, library.word()[:3], 20),
        "count": lambda c: c.count(BIG),
        "used by": lambda c: c.used_by(SMALL.owner or ""),
        "used in": lambda c: c.used_in(BIG.room or ""),
        "used in all": lambda c: c.used_in_all(),
        "nearest": lambda c: c.nearest(BIG, f"{library.word()}-{library.word()[1:]}-77.pdf", 5),
    }


async def measured(path: Path, rows: int) -> dict[str, tuple[float, float]]:
    """Milliseconds, p50 and p95, of every question."""
    async with open_catalog(path) as catalog:
        return {name: await timed(catalog, ask) for name, ask in questions(rows).items()}


async def timed(catalog: Catalog, ask: Ask) -> tuple[float, float]:
    """Milliseconds, p50 and p95, of one question."""
    times: list[float] = []
    began = time.perf_counter()
    # Slow questions are asked less often.
    while len(times) < ASKED and (len(times) < 20 or time.perf_counter() - began < 5):
        start = time.perf_counter()
        await ask(catalog)
        times.append((time.perf_counter() - start) * 1000)
    return median(times), quantiles(times, n=20)[-1]


async def compare_reading(folder: Path, sizes: tuple[int, ...]) -> None:
    """Print what each question takes at each size."""
    paths = {rows: await filled(folder / f"{rows}.db", rows) for rows in sizes}
    results = {rows: await measured(path, rows) for rows, path in paths.items()}
    print(
        f"{'ms, p50 / p95 at':22}" + "".join(f"{rows:>18,}" for rows in sizes) + f"{'p95 last/first':>16}"
    )
    for name in results[sizes[0]]:
        columns = [results[rows][name] for rows in sizes]
        cells = "".join(f"{p50:9.2f} /{p95:7.2f}" for p50, p95 in columns)
        print(f"{name:22}{cells}{columns[-1][1] / columns[0][1]:16.1f}")


def main() -> None:
    """Print two small tables."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare_writing(Path(folder)))
        asyncio.run(compare_reading(Path(folder), (1_000, 10_000, rows)))


if __name__ == "__main__":
    main()
