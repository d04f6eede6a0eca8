"""Say what the bot can do."""

from filebot.plugin import Context, Plugin, UnknownCommand

plugin = Plugin[None]("help")


@plugin.command("help", usage="help [COMMAND]", aliases=("?", "hello", "hi", "commands"))
async def show_help(ctx: Context[None], command: str) -> None:
    """Show what I can do, or how one command is used."""
    if not command:
        await ctx.reply("help/all", commands=ctx.commands.all(), in_room=ctx.sender.in_public)
        return
    found = ctx.commands.named(command)
    if found is None:
        raise UnknownCommand(command, suggestions=ctx.commands.nearest(command))
    await ctx.reply("help/one", command=found)
