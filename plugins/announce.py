"""Tell a room which files are new, if its admins want that (`room set announce on`)."""

from filebot.plugin import Context, FilesNew, Plugin

plugin = Plugin[None]("announce")


@plugin.on(FilesNew)
async def announce(ctx: Context[None], event: FilesNew) -> None:
    """One message for some files."""
    await ctx.reply("announce/new", event=event)
