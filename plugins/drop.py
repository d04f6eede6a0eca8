"""Keep the files that people send.

Drag a file onto the bot in a private chat and it is kept. A link is kept with `fetch`, and in a room,
where nothing is kept unasked, `keep` takes the file that you posted last, or the one that you reply to.
"""

from pathlib import Path

from filebot.plugin import (
    CommandGroup,
    Context,
    FileRefused,
    FileStored,
    Link,
    LinkReceived,
    Offer,
    Permission,
    Place,
    Plugin,
    read_phrases,
)

PHRASES = read_phrases(Path(__file__).parent / "phrases" / "settings.toml")

plugin = Plugin[None]("drop", api=1, needs={"files.read", "files.write"})


@plugin.on(FileStored)
async def confirm(ctx: Context[None], event: FileStored) -> None:
    """Say what was stored and how to get it back."""
    ctx.gather_replies("drop/several")
    template = "drop/known" if event.already_known else "drop/stored"
    await ctx.reply(template, entry=event.entry, name=event.name)


@plugin.on(FileRefused)
async def explain(ctx: Context[None], event: FileRefused) -> None:
    """Say why a file was not kept."""
    # A list of its own: a refusal that was corrected into the answer to other files would not be noticed.
    ctx.gather_replies("drop/refused")
    await ctx.reply_error(event.error, event.name)


@plugin.on(LinkReceived)
async def offer_to_fetch(ctx: Context[None], event: LinkReceived) -> None:
    """A link may be anything: only its sender knows whether it is meant as a file."""
    await ctx.reply("drop/link", url=event.url)


@plugin.command(
    "fetch",
    usage="fetch URL",
    permission=Permission.SERVED,
    group=CommandGroup.FILES,
    phrases=PHRASES["fetch"],
)
async def fetch(ctx: Context[None], url: Link) -> None:
    """Keep the file behind a link."""
    await ctx.files.keep(Offer(urls=(url,)))


@plugin.command(
    "keep",
    usage="keep",
    permission=Permission.OWNER,
    place=Place.ROOM,
    elsewhere="drop/keep_in_room",
    group=CommandGroup.FILES,
    phrases=PHRASES["keep"],
)
async def keep(ctx: Context[None]) -> None:
    """In a room, keep the file that you last posted, for everybody there.

    In a reply to a message with your file, it keeps that file.
    """
    offers = ctx.files_posted_here()
    if not offers:
        await ctx.reply("drop/nothing_posted", is_reply=ctx.is_reply)
    for offer in offers:
        await ctx.files.keep(offer, in_room=True)
