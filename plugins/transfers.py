"""Show what is moving, and stop it."""

from filebot.plugin import BadCommand, Context, Plugin

plugin = Plugin[None]("transfers")


@plugin.command("transfers", usage="transfers", aliases=("queue",))
async def show_transfers(ctx: Context[None]) -> None:
    """Show which of your files are on their way just now."""
    await ctx.reply("transfers/list", transfers=ctx.files.transfers())


@plugin.command("cancel", usage="cancel NUMBER", aliases=("stop",))
async def cancel(ctx: Context[None], number: str) -> None:
    """Stop a file that is on its way. NUMBER is what transfers shows."""
    digits = number.removeprefix("#")
    if not digits.isdecimal() or len(digits) > 12:
        raise BadCommand(command="cancel", usage=("cancel NUMBER",))
    ctx.files.cancel(int(digits))  # which says that it was stopped as soon as it is
