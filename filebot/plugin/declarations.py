"""Declarations of commands as data: for forms, and for a manual of all commands."""

from dataclasses import dataclass

from filebot.plugin.arguments import Parameter
from filebot.plugin.commands import Command, CommandList


@dataclass(frozen=True, slots=True)
class ArgumentDeclaration:
    """Argument of a command."""

    name: str
    """Name of the handler's keyword; ``word`` is what usage lines have for it."""
    word: str
    kind: str
    """Value of ``filebot.plugin.arguments.Kind``."""
    is_required: bool
    """Whether each usage has it; a file that is missing may still be that of the message replied to."""
    is_exact: bool
    """Whether a file must be named by its whole name or number."""
    choices: tuple[str, ...]
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class CommandDeclaration:
    """Command as its plugin declared it."""

    plugin: str
    name: str
    aliases: tuple[str, ...]
    usages: tuple[str, ...]
    """Usage lines, the most common one first."""
    summary: str
    help: str
    arguments: tuple[ArgumentDeclaration, ...]
    permission: str
    """Value of ``Permission``."""
    place: str
    """Value of ``Place``."""
    group: str
    """Value of ``CommandGroup``."""


def declarations(commands: CommandList) -> tuple[CommandDeclaration, ...]:
    """Return the declarations of all commands of a list, by name."""
    return tuple(_command(each) for each in commands.all())


def _command(command: Command) -> CommandDeclaration:
    return CommandDeclaration(
        command.plugin,
        command.name,
        command.aliases,
        command.usage,
        command.summary,
        command.help,
        tuple(_argument(command, each) for each in command.parameters),
        command.permission.value,
        command.place.value,
        command.group.value,
    )


def _argument(command: Command, parameter: Parameter) -> ArgumentDeclaration:
    bounds, in_all = parameter.bounds, command.usages
    return ArgumentDeclaration(
        parameter.name,
        parameter.word,
        parameter.kind.value,
        all(parameter.name in each.parameters and parameter.name != each.optional for each in in_all),
        parameter.is_exact,
        tuple(parameter.choices or ()),
        None if bounds is None else bounds.lowest,
        None if bounds is None else bounds.highest,
    )
