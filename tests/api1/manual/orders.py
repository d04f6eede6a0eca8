"""Give orders in a room, and lock files."""

from filebot.plugin import Context, Entry, Permission, Place, Plugin

plugin = Plugin[None](
    "orders",
    api=1,
    needs={"files.read"},
    templates={
        "quiet": "Quiet, says {{ nick }}.",
        "locked": "{{ name }} is locked.",
        "where": "Say that in a room.",
    },
)


@plugin.command(
    "quiet", usage="quiet", permission=Permission.ROOM_ADMIN, place=Place.ROOM, elsewhere="orders/where"
)
async def quiet(ctx: Context[None]) -> None:
    """Call for silence."""
    await ctx.reply("orders/quiet", nick=ctx.sender.nick)


@plugin.command("lock", usage="lock FILE", permission=Permission.OWNER)
async def lock(ctx: Context[None], file: Entry) -> None:
    """Lock a file of yours."""
    await ctx.reply("orders/locked", name=file.name)
