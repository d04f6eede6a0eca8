"""Write down who stores, renames and removes files: a file of JSON lines, for whoever runs the bot.

Nothing is missing after a kill; a line may be there twice then. Lines about a person are exported with the
rest of their data, and go when the person is forgotten.
"""

import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from filebot.plugin import (
    CaptionChanged,
    Context,
    Entry,
    FileRemoved,
    FileRenamed,
    FileStored,
    Identity,
    Life,
    Plugin,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.audit]`."""

    path: Path = Path("audit.jsonl")
    """The file; the bot makes it if it is not there."""


plugin = Plugin("audit", api=1, settings=Settings)


class AuditLog:
    """File with one line of JSON for each thing that was done. Its methods block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = _opened(path)

    def write(self, line: dict[str, Any]) -> None:
        """Add a line."""
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def about(self, person: Identity) -> list[dict[str, Any]]:
        """Return all lines about a person."""
        with self._lock:
            return [line for line in self._lines() if person in (line["who"], line["owner"])]

    def forget(self, person: Identity) -> None:
        """Remove all lines about a person."""
        new = self._path.with_suffix(".new")
        with self._lock:
            new.unlink(missing_ok=True)
            with _opened(new) as kept:
                for line in self._lines():
                    if person not in (line["who"], line["owner"]):
                        kept.write(json.dumps(line) + "\n")
            self._file.close()
            new.replace(self._path)
            self._file = _opened(self._path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _opened(path: Path) -> TextIO:
    """Open a file, to add to it, that nobody else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8")


@plugin.lifespan
async def audit_log(life: Life[Settings]) -> AsyncIterator[AuditLog]:
    """Keep the log open."""
    log = await life.run_blocking(AuditLog, life.settings.path)
    try:
        yield log
    finally:
        await life.run_blocking(log.close)


@plugin.on(FileStored, durable=True)
async def stored(ctx: Context[Settings], event: FileStored) -> None:
    """Write down that a file was stored, also if it was there already."""
    await write(ctx, "stored", event.entry)


@plugin.on(FileRenamed, durable=True)
async def renamed(ctx: Context[Settings], event: FileRenamed) -> None:
    """Write down that a file was renamed."""
    await write(ctx, "renamed", event.entry)


@plugin.on(CaptionChanged, durable=True)
async def captioned(ctx: Context[Settings], event: CaptionChanged) -> None:
    """Write down that a file has another caption."""
    await write(ctx, "captioned", event.entry)


@plugin.on(FileRemoved, durable=True)
async def removed(ctx: Context[Settings], event: FileRemoved) -> None:
    """Write down that a file was removed, and why."""
    await write(ctx, f"removed: {event.reason.value}", event.entry)


async def write(ctx: Context[Settings], done: str, entry: Entry) -> None:
    """Write a line about a file."""
    line = {
        "at": ctx.now.isoformat(timespec="seconds"),
        "who": ctx.sender.identity,
        "done": done,
        "file": entry.id,
        "name": entry.name,
        "owner": entry.owner,
        "room": entry.room,
    }
    await ctx.run_blocking(ctx.state(audit_log).write, line)


@plugin.export
async def export(ctx: Context[Settings], person: Identity) -> Any:
    """Return the lines about a person."""
    return await ctx.run_blocking(ctx.state(audit_log).about, person)


@plugin.forget
async def forget(ctx: Context[Settings], person: Identity) -> None:
    """Remove the lines about a person."""
    await ctx.run_blocking(ctx.state(audit_log).forget, person)
