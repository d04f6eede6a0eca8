"""Tell a room which files are new, if its admins want that (`room set announce on`)."""

from filebot.plugin import Context, Plugin, RoomFilesAdded

plugin = Plugin[None]("announce", api=1)

plugin.room_setting("announce", bool, default=False)


@plugin.on(RoomFilesAdded)
async def announce(ctx: Context[None], event: RoomFilesAdded) -> None:
    """One message for some files."""
    await ctx.reply("announce/new", event=event)
