"""Tell a room in the morning how many files came since the last morning (`room set digest on`).

That is one message a day, where the plugin `announce` tells of files as they come.
"""

from functools import partial
from operator import add

from filebot.plugin import (
    Address,
    AddressKind,
    Context,
    Entry,
    FileAutoArchived,
    FileShared,
    FileStored,
    Plugin,
)

plugin = Plugin[None](
    "digest",
    api=1,
    needs={"people", "rooms", "store"},
    templates={
        "new": "Good morning. {{ 'One new file' if count == 1 else '%d new files' % count }}"
        " since yesterday; to see more, type: {{ prefix }}ls"
    },
)

wanted = plugin.room_setting("digest", bool, default=False)


@plugin.on(FileStored, where=wanted)
async def stored(ctx: Context[None], event: FileStored) -> None:
    """Count a file that was kept in a room."""
    if not event.already_known:
        await count(ctx, event.entry)


@plugin.on(FileShared, where=wanted)
async def shared(ctx: Context[None], event: FileShared) -> None:
    """Count a file that was sent into a room."""
    await count(ctx, event.entry)


@plugin.on(FileAutoArchived, where=wanted)
async def archived(ctx: Context[None], event: FileAutoArchived) -> None:
    """Count a file that a room's archive kept, unless it is an old one."""
    if not event.from_history:
        await count(ctx, event.entry)


async def count(ctx: Context[None], entry: Entry) -> None:
    """Count one file more for its room."""
    if entry.room is not None:
        await ctx.store.room(entry.room).change("new", lambda new: new + 1, 0)


@plugin.daily("08:00")
async def tell(ctx: Context[None]) -> None:
    """Tell each room that wants it; one that the bot is out of just now hears of them the next day."""
    for room in ctx.rooms.rooms_with(wanted):
        new = await ctx.store.room(room).get("new", 0)
        if new and ctx.rooms.is_in(room):
            await ctx.tell(Address(room, AddressKind.ROOM), "digest/new", count=new)
            # Not to nought: another file may have come meanwhile.
            await ctx.store.room(room).change("new", partial(add, -new), 0)
