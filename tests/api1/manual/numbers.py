"""Double numbers."""

from filebot.plugin import BadCommand, Context, Plugin

plugin = Plugin[None](
    "numbers",
    api=1,
    templates={"doubled": "{{ result }}.", "large": "I count to a million only."},
)


@plugin.command("double", usage="double NUMBER")
async def double(ctx: Context[None], number: str) -> None:
    """Double a number."""
    if not number.isdecimal():
        raise BadCommand(command="double", usage=("double NUMBER",))
    if len(number) > 6:
        await ctx.reply("numbers/large")
        return
    await ctx.reply("numbers/doubled", result=2 * int(number))
