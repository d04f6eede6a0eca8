"""Give files back: get brings one here, send takes one to somebody else or into a room."""

from filebot.plugin import AddressKind, Context, FileSent, Method, Plugin

plugin = Plugin[None]("delivery")


@plugin.command("get", usage=("get NAME by METHOD", "get NAME"), aliases=("download",))
async def get(ctx: Context[None], name: str, method: str) -> None:
    """Get a file back. NAME is a name, an id such as #12, a beginning, or a pattern such as *.pdf.

    METHOD is http (a link), socks5 (directly) or ibb (inside of the chat connection, slow); without it I
    choose.
    """
    name, wanted = _parted(name, method)
    for entry in await ctx.files.some(name):
        used = await ctx.files.send_here(entry, wanted)
        if used is not Method.HTTP:
            await ctx.reply("delivery/streamed", entry=entry, method=used.value, asked=wanted is not None)
        await ctx.emit(FileSent(ctx.sender, ctx.language, entry, ctx.sender.address))


def _parted(name: str, method: str) -> tuple[str, Method | None]:
    """A name may hold the word "by" itself: only what names a method is one."""
    try:
        return name, Method(method.lower()) if method else None
    except ValueError:
        return f"{name} by {method}", None


@plugin.command("send", usage="send NAME to TARGET", aliases=("share",))
async def send(ctx: Context[None], name: str, target: str) -> None:
    """Send a file to somebody, or into a room that we are both in. TARGET is an address."""
    entry = await ctx.files.one(name)
    address = await ctx.files.send_to(entry, target)
    await ctx.reply("delivery/sent", entry=entry, target=address.jid)
    if address.kind is AddressKind.CHAT:
        await ctx.tell(address, "delivery/from", entry=entry, person=ctx.sender.jid)
    await ctx.emit(FileSent(ctx.sender, ctx.language, entry, address))
