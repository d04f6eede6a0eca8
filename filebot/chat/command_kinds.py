"""Kinds of commands and of their values, by which lines are read."""

from collections.abc import Iterator, Mapping
from typing import Final

from filebot.plugin.arguments import Kind, Parameter
from filebot.plugin.commands import Command
from filebot.reading.sentences import Reading

TARGET: Final = "target"
"""Parameter that stands for a room or a person, in all commands."""


def takes_target(command: Command | None) -> bool:
    """Return whether one of a command's values is a room or a person."""
    return command is not None and any(each.name == TARGET for each in command.parameters)


def takes_names_only(command: Command) -> bool:
    """Return whether what follows a command is found or not: slips in it can wait until it is not."""
    kinds = [each.kind for each in command.parameters]
    names = bool(kinds) and all(each.is_file or each is Kind.LINK for each in kinds)
    return names or only_shows_files(command)


def only_shows_files(command: Command) -> bool:
    """Return whether a command has files among its values, and changes nothing."""
    return not command.changes and any(each.kind.is_file for each in command.parameters)


def is_to_send(parameter: Parameter) -> bool:
    """Return whether files are meant as ``ArgumentResolver`` finds those to be sent."""
    return parameter.kind is Kind.FILES and not parameter.is_exact


def texts_of(command: Command, reading: Reading) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the usage lines that a reading of a sentence fits, and the texts of their values."""
    if reading.rest is not None:
        yield from command.texts(reading.rest)
        return
    fitting = [each for each in command.usages if set(each.parameters) == set(reading.values)]
    usage = fitting[0] if fitting else command.usages[-1]
    yield usage.line, reading.values
