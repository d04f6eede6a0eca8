"""Keep the minutes of what comes and goes."""

from filebot.plugin import Address, Context, FileRemoved, FileStored, Plugin

plugin = Plugin[None](
    "minutes",
    api=1,
    needs={"people"},
    templates={"came": "New: {{ name|quoted }}", "went": "Gone: {{ name|quoted }}"},
)
KEEPER = Address("keeper@example.org")


@plugin.on(FileStored, at_once=True)
async def came(ctx: Context[None], event: FileStored) -> None:
    await ctx.tell(KEEPER, "minutes/came", name=event.name)


@plugin.on(FileRemoved, durable=True)
async def went(ctx: Context[None], event: FileRemoved) -> None:
    await ctx.tell(KEEPER, "minutes/went", name=event.entry.name)
