"""Count files."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None](
    "census",
    api=1,
    needs={"files.read"},
    templates={"counted": "{{ count }} files."},
)


@plugin.command("census", usage="census")
async def census(ctx: Context[None]) -> None:
    """Count the files here."""
    await ctx.reply("census/counted", count=await ctx.files.count())
