"""Say what the bot can do: in the first words to somebody, in short, and in full."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from filebot.plugin import (
    Command,
    CommandGroup,
    Context,
    Greeted,
    PersonSubscribed,
    Plugin,
    StorageError,
    UnknownCommand,
    read_phrases,
)

PHRASES = read_phrases(Path(__file__).parent / "phrases" / "help.toml")

plugin = Plugin[None]("help", api=1, needs={"store"})

FIRST = (
    *("ls", "find", "more", "info", "rename", "rm", "get", "send"),
    *("room", "keep", "join", "leave", "archive", "claim"),
)
"""Commands listed first in their group. Others follow by name."""
EVERYTHING = frozenset(("all", "everything", "全部", "所有"))
WELCOMED = "welcomed"
"""Key in the store of people who have had the first words."""


@plugin.command(
    "help",
    usage="help [COMMAND]",
    aliases=("commands", "帮助"),
    group=CommandGroup.SETTINGS,
    phrases=PHRASES["help"],
    changes=False,
)
async def show_help(ctx: Context[None], command: str) -> None:
    """Show what I can do, or how to use one command. "help all" lists all commands."""
    if not command:
        await _say(ctx, "help/short")
    elif command.casefold() in EVERYTHING:
        await ctx.reply_aside(
            "help/all",
            groups=_groups(ctx.commands.all()),
            language=ctx.language,
            in_room=ctx.sender.room is not None,
            sign=ctx.rooms.prefix,
        )
    elif (found := ctx.commands.named(command)) is not None:
        await ctx.reply_aside("help/one", command=found, language=ctx.language)
    else:
        error = UnknownCommand(command[:40], suggestions=ctx.commands.nearest(command))
        await ctx.reply_error(error, aside=True)


@plugin.on(Greeted)
async def greet(ctx: Context[None], event: Greeted) -> None:
    """With the first words, as often as somebody wants them."""
    await _say(ctx, "help/welcome")
    if ctx.sender.identity is not None:
        with suppress(StorageError):  # at worst they are said once more
            await ctx.store.person(ctx.sender.identity).set(WELCOMED, True)


@plugin.on(PersonSubscribed)
async def welcome(ctx: Context[None], event: PersonSubscribed) -> None:
    """Say the first words to a new contact once: not after a restart, nor when they add the bot again."""
    known = ctx.store.person(ctx.sender.identity)
    if not await known.get(WELCOMED, False):
        await known.set(WELCOMED, True)  # first: rather no welcome than two
        await _say(ctx, "help/welcome")


async def _say(ctx: Context[None], template: str) -> None:
    """Say something to the asker alone: the whole room need not read it."""
    await ctx.reply_aside(template, in_room=ctx.sender.room is not None, sign=ctx.rooms.prefix)


def _groups(commands: Sequence[Command]) -> list[tuple[str, list[Command]]]:
    """Return the groups that have commands, with these in the order in which they are listed."""
    of = {group: [each for each in commands if each.group is group] for group in CommandGroup}
    return [(group.value, sorted(of[group], key=_place)) for group in CommandGroup if of[group]]


def _place(command: Command) -> int:
    return FIRST.index(command.name) if command.name in FIRST else len(FIRST)
