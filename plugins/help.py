"""Say what the bot can do."""

from filebot.plugin import Command, CommandGroup, Context, Plugin, UnknownCommand

plugin = Plugin[None]("help", api=1)

FIRST = (
    *("get", "ls", "find", "more", "send", "rm", "info", "rename", "fetch", "quota", "lang", "help"),
    *("keep", "room", "join", "leave", "archive", "claim"),
)
"""Commands listed first: those of every day, then those for rooms. Others follow by name."""


@plugin.command(
    "help",
    usage="help [COMMAND]",
    aliases=("?", "hello", "hi", "commands", "帮助", "你好"),
    group=CommandGroup.SETTINGS,
)
async def show_help(ctx: Context[None], command: str) -> None:
    """Show what I can do, or how to use one command."""
    if not command:
        commands = sorted(ctx.commands.all(), key=_place)
        await ctx.reply(
            "help/all", commands=commands, in_room=ctx.sender.in_public, prefix=ctx.rooms.prefix
        )
        return
    found = ctx.commands.named(command)
    if found is None:
        raise UnknownCommand(command, suggestions=ctx.commands.nearest(command))
    await ctx.reply("help/one", command=found)


def _place(command: Command) -> int:
    return FIRST.index(command.name) if command.name in FIRST else len(FIRST)
