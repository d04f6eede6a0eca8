"""Give files back: get brings one here, send takes one to somebody else or into a room."""

from filebot.plugin import AddressKind, Context, FileSent, Plugin

plugin = Plugin[None]("delivery")


@plugin.command("get", usage="get NAME", aliases=("download",))
async def get(ctx: Context[None], name: str) -> None:
    """Get a file back. NAME is a name, an id such as #12, a beginning, or a pattern such as *.pdf."""
    for entry in await ctx.files.some(name):
        await ctx.files.send_here(entry)
        await ctx.emit(FileSent(ctx.sender, ctx.language, entry, ctx.sender.address))


@plugin.command("send", usage="send NAME to TARGET", aliases=("share",))
async def send(ctx: Context[None], name: str, target: str) -> None:
    """Send a file to somebody, or into a room that we are both in. TARGET is an address."""
    entry = await ctx.files.one(name)
    address = await ctx.files.send_to(entry, target)
    await ctx.reply("delivery/sent", entry=entry, target=address.jid)
    if address.kind is AddressKind.CHAT:
        await ctx.tell(address, "delivery/from", entry=entry, person=ctx.sender.jid)
    await ctx.emit(FileSent(ctx.sender, ctx.language, entry, address))
