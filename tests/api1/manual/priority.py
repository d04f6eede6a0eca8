"""Priorities of files, and names for their newest."""

from enum import Enum

from filebot.plugin import Context, Entry, EntryFilter, Plugin

plugin = Plugin[None](
    "priority",
    api=1,
    needs={"files.read", "store"},
    templates={"noted": "{{ name|quoted }} is {{ level }}."},
)


class Level(Enum):
    HIGH = "high"
    LOW = "low"


@plugin.command("mark", usage="mark FILE as LEVEL")
async def mark(ctx: Context[None], file: Entry, level: Level) -> None:
    """Say how urgent a file is."""
    await ctx.store.entry(file).set("level", level.value)
    await ctx.reply("priority/noted", name=file.name, level=level.value)


@plugin.filter("priority")
async def having(ctx: Context[None], level: Level) -> EntryFilter:
    return ctx.store.having("level", level.value)


@plugin.resolver
async def newest(ctx: Context[None], wanted: str) -> Entry | None:
    """Let `newest.pdf` be the newest PDF file."""
    if not wanted.startswith("newest."):
        return None
    found = await ctx.files.search(wanted.removeprefix("newest"), limit=1)
    return found[0] if found else None
