"""Count the lines of texts."""

from filebot.plugin import Context, Entry, Plugin

plugin = Plugin[None](
    "lines",
    api=1,
    needs={"files.read", "files.write", "files.annotate"},
    templates={"counted": "{{ name|quoted }} has {{ lines }} lines.", "upper": "Written."},
)


@plugin.command("lines", usage="lines FILE")
async def count(ctx: Context[None], file: Entry) -> None:
    """Count the lines of a file."""
    known = (await ctx.files.details(file)).get("lines", {})
    lines = known.get("lines")
    if lines is None:
        async with ctx.files.open(file) as reader:
            lines = sum([piece.count(b"\n") async for piece in reader.chunks()])
        await ctx.files.annotate(file, {"lines": lines})
    await ctx.reply("lines/counted", name=file.name, lines=lines)


@plugin.command("head", usage="head FILE")
async def head(ctx: Context[None], file: Entry) -> None:
    """Keep the beginning of a file as a file."""
    async with ctx.files.open(file) as reader:
        beginning = await reader.read(0, 1000)
    await ctx.files.add(f"head of {file.name}", beginning)
