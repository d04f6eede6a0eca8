"""Count the files that people drop."""

from filebot.plugin import Context, FileStored, Plugin

plugin = Plugin[None](
    "tally", api=1, needs={"store"}, templates={"told": "You have dropped {{ count }} files."}
)


@plugin.on(FileStored)
async def count(ctx: Context[None], event: FileStored) -> None:
    """One more for whoever dropped it."""
    person = ctx.sender.identity
    if person is not None:
        await ctx.store.person(person).change("files", lambda files: files + 1, 0)


@plugin.command("tally", usage="tally")
async def tell(ctx: Context[None]) -> None:
    """Tell how many files you have dropped."""
    files = await ctx.store.person(ctx.sender.identity).get("files", 0)
    await ctx.reply("tally/told", count=files)
