"""The archive of a room: files that people post there are kept without further words, if they agree.

Admins of the room switch it on with `room set archive on`. Whoever does not want it writes
`archive off for me` in that room, or to me through it: then nothing of theirs is kept any more, and what
was kept so far is removed. With `archive history of 90 days` the admins let me look for files that were
posted before.
"""

import logging
from pathlib import Path
from typing import Annotated

from filebot.plugin import (
    Between,
    CommandGroup,
    Context,
    FilebotError,
    FileRefused,
    HistoryImportFinished,
    HistoryImportProgressed,
    Place,
    Plugin,
    RoomFilePosted,
    name_of,
)

from . import wishes
from .history import HistoryImports, Step
from .imports import import_of

log = logging.getLogger(__name__)

plugin = Plugin[None](
    "archive",
    api=1,
    needs={"db", "events", "files.unasked", "jobs", "rooms"},
    package=__name__,
    migrations=Path(__file__).with_name("migrations"),
)

keeps_posts = plugin.room_setting(
    "archive", bool, default=False, consent=True, told="archive/changed", presence="archive/status"
)

OUT, IN = "archive off for me", "archive on for me"
BEGIN, STOP = "archive history of DAYS days", "archive history off"

_history = HistoryImports(keeps_posts)


@plugin.command("archive", usage=(BEGIN, STOP, IN, OUT), place=Place.ROOM, group=CommandGroup.ROOMS)
async def archive(ctx: Context[None], days: Annotated[int, Between(1, 99_999)] | None) -> None:
    """In a room, choose whether I keep the files that you post there.

    For the room's owners and admins: "archive history of 30 days" also keeps files that were posted before,
    and "archive history off" stops that. To keep new files, use "room set archive on".
    """
    if ctx.usage in {OUT, IN} and ctx.sender.identity is None:
        await ctx.reply("archive/nobody")
    elif ctx.usage == OUT:
        await ctx.reply("archive/opted_out", removed=await wishes.opt_out(ctx))
    elif ctx.usage == IN:
        await wishes.opt_in(ctx)
        await ctx.reply("archive/opted_in")
    elif days is not None:
        await ctx.reply("archive/history_begins", history_import=await _history.begin(ctx, days))
    else:
        await ctx.reply("archive/history_stopped", history_import=await _history.stop(ctx))


@plugin.on(RoomFilePosted)
async def keep(ctx: Context[None], event: RoomFilePosted) -> None:
    """Keep the files of a message, if the poster agrees; if that fails, say so once a day."""
    for number, offer in enumerate(event.message.offers):
        try:
            await wishes.keep(ctx, event.message, number, keeps_posts)
        except FilebotError as error:
            name, sender = name_of(offer), ctx.sender
            log.info("%s does not keep %r of %s: %s", sender.room, name, sender.identity, error)
            if ctx.is_first_today(f"{error.kind} {error.template}"):
                await ctx.emit(FileRefused(sender, event.language, name, error))


@plugin.job("history", limit_s=3600)
async def look_through_history(ctx: Context[None], step: Step) -> None:
    """Go on with an import for about a minute."""
    await _history.go_on(ctx, step)


@plugin.every("10m")
async def resume_imports(ctx: Context[None]) -> None:
    """Go on with imports that have no job: those of an earlier version, or begun right before a crash."""
    await _history.resume(ctx)


@plugin.on(HistoryImportProgressed)
async def say_how_far(ctx: Context[None], event: HistoryImportProgressed) -> None:
    """Now and then, to whoever asked for it."""
    await ctx.reply("archive/history_goes_on", event=event)


@plugin.on(HistoryImportFinished)
async def say_what_was_found(ctx: Context[None], event: HistoryImportFinished) -> None:
    """Once, at the end."""
    await ctx.reply("archive/history_gone", event=event)


@plugin.room_line("archive/going_on")
async def going_on(ctx: Context[None], room: str) -> object:
    """Return the import of the room's history that is under way."""
    found = await import_of(ctx.db, room)
    return None if found is None else found.history_import
