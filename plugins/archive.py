"""The archive of a room: files that people post there are kept without further words, if they agree.

Admins of the room switch it on with `room set archive on`. Whoever does not want it writes
`archive off for me` in that room, or to me through it: then nothing of theirs is kept any more, and what
was kept so far is removed. With `archive history of 90 days` the admins let me look for files that were
posted before.
"""

from typing import Annotated

from filebot.plugin import (
    Between,
    Context,
    HistoryImportFinished,
    HistoryImportProgressed,
    Place,
    Plugin,
)

plugin = Plugin[None]("archive", api=1, needs={"files.write", "rooms"})

plugin.room_setting(
    "archive", bool, default=False, consent=True, told="room/archive", presence="archive/status"
)

OUT, IN = "archive off for me", "archive on for me"
BEGIN, STOP = "archive history of DAYS days", "archive history off"


@plugin.command("archive", usage=(BEGIN, STOP, IN, OUT), place=Place.ROOM)
async def archive(ctx: Context[None], days: Annotated[int, Between(1, 99_999)] | None) -> None:
    """In a room, choose whether I keep the files that you post there.

    For the room's owners and admins: "archive history of 30 days" also keeps files that were posted before,
    and "archive history off" stops that. To keep new files, use "room set archive on".
    """
    if ctx.usage in {OUT, IN} and ctx.sender.identity is None:
        await ctx.reply("archive/nobody")
    elif ctx.usage == OUT:
        await ctx.reply("archive/opted_out", removed=await ctx.files.opt_out())
    elif ctx.usage == IN:
        await ctx.files.opt_in()
        await ctx.reply("archive/opted_in")
    elif days is not None:
        begun = await ctx.rooms.import_history(days, ctx.language)
        await ctx.reply("archive/history_begins", history_import=begun)
    else:
        await ctx.reply("archive/history_stopped", history_import=await ctx.rooms.stop_history_import())


@plugin.on(HistoryImportProgressed)
async def say_how_far(ctx: Context[None], event: HistoryImportProgressed) -> None:
    """Now and then, to whoever asked for it."""
    await ctx.reply("archive/history_goes_on", event=event)


@plugin.on(HistoryImportFinished)
async def say_what_was_found(ctx: Context[None], event: HistoryImportFinished) -> None:
    """Once, at the end."""
    await ctx.reply("archive/history_gone", event=event)
