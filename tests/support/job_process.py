"""A process that works with the queue of a catalog, for a test to kill: ``python -m ... FOLDER WHAT``.

It says on its standard output, a line at a time, what is durable.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from filebot.catalog import open_catalog
from filebot.jobs.worker import JobWorker, Work
from filebot.model import BlobRef, Entry, Job, JobKind, NewEntry, NewJob
from filebot.ports import Catalog

JOBS: Final = 1000
CHANGING: Final = 5
"""Tasks that change the catalog at once."""
NOTE: Final = JobKind("post", "note")


def say(text: str) -> None:
    """Write a line at once."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def job(payload: str) -> NewJob:
    """Return a job that is due."""
    return NewJob(NOTE, payload, datetime.now(UTC))


async def fill(catalog: Catalog) -> None:
    """Add all jobs, half of them in groups."""
    now = datetime.now(UTC)
    groups = [f"group {number % 7}" if number % 2 else None for number in range(JOBS)]
    new = [NewJob(NOTE, str(number), now, group=group) for number, group in enumerate(groups)]
    await asyncio.gather(*map(catalog.jobs.add, new))
    say("filled")
    await asyncio.Event().wait()


async def work(catalog: Catalog) -> None:
    """Do jobs until none is left."""

    async def note(done: Job) -> None:
        say(done.payload)

    worker = JobWorker(catalog.jobs, lambda: datetime.now(UTC))
    worker.replace([Work(NOTE, note)])
    await worker.run_due()


async def change(catalog: Catalog) -> None:
    """Add, rename and remove entries for ever, each with a job that says so."""
    numbers = count()

    async def act() -> None:
        for number in numbers:
            new = NewEntry(
                str(number),
                "anna@example.org",
                None,
                "",
                BlobRef("0" * 64, 1),
                "text/plain",
                datetime.now(UTC),
            )
            entry = await catalog.add(new, outbox=lambda added: told("add", added))
            say(f"add {entry.id}")
            if number % 3 == 0:
                await catalog.rename(
                    entry.id, "b", datetime.now(UTC), outbox=lambda each: told("rename", each)
                )
                say(f"rename {entry.id}")
            if number % 2 == 0:
                await catalog.remove(entry.id, outbox=lambda each: told("remove", each))
                say(f"remove {entry.id}")

    await asyncio.gather(*(act() for _ in range(CHANGING)))


def told(what: str, entry: Entry) -> Sequence[NewJob]:
    """Return the job that says what became of an entry."""
    return [job(f"{what} {entry.id}")]


async def main(folder: Path, what: str) -> None:
    """Do what is wanted with the catalog in a folder."""
    async with open_catalog(folder / "catalog.sqlite") as catalog:
        await {"fill": fill, "work": work, "change": change}[what](catalog)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
