"""Remove the files of a room after some days, if its admins want that (`room set retention 90 days`)."""

import logging
from datetime import timedelta

from filebot.plugin import Context, Entry, Number, Plugin

log = logging.getLogger(__name__)

plugin = Plugin[None]("retention", api=1, needs={"rooms", "files.expire"}, package=__name__)

retention = plugin.room_setting("retention", Number("day", most=36_500, example=90), default=None)


@plugin.every("1h", at_start=True, limit_s=3600)
async def look(ctx: Context[None]) -> None:
    """Remove what is too old. Trouble with the files of one room keeps no other's."""
    if await ctx.trusted_now() is None:
        return  # a clock that is wrong would find everything too old; the next look is soon enough
    for room in ctx.rooms.rooms_with(retention):
        try:
            await look_at(ctx, room)
        except Exception:
            log.exception("files of %s that are too old are not removed", room)


async def look_at(ctx: Context[None], room: str) -> None:
    """Remove what is too old in one room, until there is nothing more of that kind."""
    removed = 0
    # Its admins may change their mind meanwhile.
    while (days := ctx.rooms.setting(retention, room)) is not None:
        some = await ctx.room_files(room).expire(timedelta(days=days))
        if not some:
            break
        removed += some
    if removed:
        log.info("%d files of %s had been there long enough", removed, room)


@plugin.entry_lines
async def expiry(ctx: Context[None], entry: Entry) -> str | None:
    """Say when a file goes."""
    days = None if entry.room is None else ctx.rooms.setting(retention, entry.room)
    if days is None:
        return None
    return ctx.render("retention/expires", at=entry.created_at + timedelta(days=days))
