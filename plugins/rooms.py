"""Bring the bot into rooms and out of them: join and leave, for those who run it."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None]("rooms")


@plugin.command("join", usage=("join ROOM with PASSWORD", "join ROOM"))
async def join(ctx: Context[None], room: str, password: str) -> None:
    """Enter a room and stay there, also after a restart. For those who run me."""
    await ctx.reply("rooms/joined", room=await ctx.rooms.join(room, password))


@plugin.command("leave", usage="leave ROOM")
async def leave(ctx: Context[None], room: str) -> None:
    """Leave a room for good. Its files are kept. For those who run me."""
    await ctx.reply("rooms/left", room=await ctx.rooms.leave(room))
