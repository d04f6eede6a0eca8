"""Count the words of a text."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None]("words", api=1, templates={"counted": "{{ count }} words."})


@plugin.command("count", usage="count TEXT")
async def count(ctx: Context[None], text: str) -> None:
    """Count the words of a text."""
    await ctx.reply("words/counted", count=len(text.split()))
