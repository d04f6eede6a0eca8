"""Values of a form, read as a command's typed text would be."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Final

from filebot.model import Submission
from filebot.plugin.arguments import Kind, Parameter
from filebot.plugin.commands import Command, CommandUsage, Match
from filebot.reading.quotes import unquoted

USAGE: Final = "_usage"
"""Field with the usage line that is meant; no parameter has a name like this."""

OTHER: Final = "_other_"
"""Beginning of the name of a field in which a file is typed that the list of a parameter does not have."""

_ID: Final = re.compile(r"#([0-9]{1,15})")
_VALUE: Final = re.compile(r"\[?([A-Z][A-Z_]*)\]?")


class Misfit(Exception):
    """Fields that are filled in fit no usage of the command."""

    def __init__(self, *, missing: Iterable[str] = (), superfluous: Iterable[str] = ()) -> None:
        super().__init__()
        self.missing = (*missing,)
        self.superfluous = (*superfluous,)


def usages_of(command: Command) -> Sequence[CommandUsage]:
    """Return the usages that mean something of their own, the most common one first.

    Those that differ only in words between their values are one: ``rename OLD to NEW``, ``rename OLD NEW``.
    """
    found = dict[object, CommandUsage]()
    for usage in reversed(command.usages):
        found.setdefault(_meaning(usage), usage)
    return tuple(found.values())


def needs_choice(command: Command) -> bool:
    """Return whether the fields that are filled in may not tell which usage is meant."""
    return any(
        _needed(one) | _needed(other) <= {*one.parameters} & {*other.parameters}
        for one, other in combinations(usages_of(command), 2)
    )


def has_form(command: Command) -> bool:
    """Return whether anything can be filled in before the command is carried out."""
    return bool(command.parameters) or needs_choice(command)


def always_needed(command: Command) -> frozenset[str]:
    """Return the names of the parameters that no usage leaves out."""
    return frozenset.intersection(*map(_needed, usages_of(command)))


def given(command: Command, submitted: Submission) -> dict[str, tuple[str, ...]]:
    """Return the values of fields that a form of the command has, without empty ones."""
    cleaned = {
        name: tuple(text for value in values if (text := " ".join(value.split())))
        for name, values in submitted.items()
    }
    found = {USAGE: cleaned.get(USAGE, ())}
    for each in command.parameters:
        found[each.name] = cleaned.get(each.name, ())
        if each.kind.is_file and (typed := cleaned.get(f"{OTHER}{each.name}")):
            found[each.name] = (*found[each.name], *typed) if each.kind is Kind.FILES else typed
    return {name: values for name, values in found.items() if values}


def match_of(command: Command, values: Submission, now: datetime) -> Match:
    """Return the usage that the values of :func:`given` fit, and what they stand for.

    Raises Misfit, and BadValue for one that is not of its kind.
    """
    usage = _fitting(command, values)
    read = {
        each.name: _read(command, each, values[each.name], now)
        for each in command.parameters
        if each.name in values
    }
    return Match(usage.line, read)


def _read(command: Command, parameter: Parameter, values: tuple[str, ...], now: datetime) -> object:
    if parameter.kind.is_file:
        found = tuple(int(match[1]) if (match := _ID.fullmatch(each)) else each for each in values)
        return found if parameter.kind is Kind.FILES else found[0]
    return parameter.value_of(unquoted(" ".join(values)), now, command=command.name, usage=())


def _fitting(command: Command, values: Mapping[str, object]) -> CommandUsage:
    filled = {each.name for each in command.parameters if each.name in values}
    usages = usages_of(command)
    if needs_choice(command):
        chosen = values.get(USAGE)
        usages = [each for each in usages if (each.line,) == chosen]
        if not usages:
            raise Misfit(missing=(USAGE,))
    for usage in usages:
        if _needed(usage) <= filled <= {*usage.parameters}:
            return usage
    wider = [each for each in usages if filled <= {*each.parameters}]
    if wider:
        nearest = min(wider, key=lambda each: len(_needed(each) - filled))
        raise Misfit(missing=[name for name in nearest.parameters if name in _needed(nearest) - filled])
    nearest = max(usages, key=lambda each: len(filled & {*each.parameters}))
    raise Misfit(superfluous=sorted(filled - {*nearest.parameters}))


def _needed(usage: CommandUsage) -> frozenset[str]:
    return frozenset(usage.parameters) - {usage.optional}


def _meaning(usage: CommandUsage) -> object:
    """Return what two usages have in common if they mean the same."""
    words = usage.line.split()
    places = [index for index, word in enumerate(words) if _VALUE.fullmatch(word)]
    if not places:
        return tuple(words)
    return (
        tuple(words[: places[0]]),
        tuple(words[places[-1] + 1 :]),
        frozenset(usage.parameters),
        usage.optional,
    )
