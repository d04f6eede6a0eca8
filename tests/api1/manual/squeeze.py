"""Squeeze texts."""

import zlib

from filebot.plugin import Context, IsolatedError, Limits, Plugin

plugin = Plugin[None](
    "squeeze",
    api=1,
    templates={"size": "{{ size }} bytes when squeezed.", "no": "That is too much for me."},
)


def squeezed_size(text: str, times: int) -> int:
    """Return how long the text is, repeated and compressed."""
    return len(zlib.compress(text.encode() * times))


@plugin.command("squeeze", usage="squeeze TEXT times COUNT")
async def squeeze(ctx: Context[None], text: str, count: int) -> None:
    """Squeeze a text that is repeated."""
    limits = Limits(seconds=10, memory_bytes=64 * 1024 * 1024)
    try:
        size = await ctx.run_isolated(squeezed_size, text, count, limits=limits)
    except IsolatedError:
        await ctx.reply("squeeze/no")
    else:
        await ctx.reply("squeeze/size", size=size)
