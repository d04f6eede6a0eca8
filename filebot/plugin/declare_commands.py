"""Declarations of a plugin's commands."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Concatenate, Generic, ParamSpec, TypeVar

from filebot.errors import PluginError
from filebot.plugin.arguments import Kind, Parameter, parameters_of
from filebot.plugin.commands import LIMIT_S, Command, CommandUsage
from filebot.plugin.confirmation import ANSWERS
from filebot.plugin.context import Context
from filebot.plugin.permissions import CommandGroup, Permission, Place
from filebot.plugin.signatures import examine_arguments, examine_coroutine, examine_limit, name_of
from filebot.reading.phrases import BadPhrase, Phrase

S = TypeVar("S")
P = ParamSpec("P")

Handler = Callable[Concatenate[Context[S], P], Awaitable[None]]


class CommandDeclarations(Generic[S]):
    """Declarations of what people can type."""

    name: str

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def command(
        self,
        name: str,
        *,
        usage: str | Sequence[str],
        aliases: Sequence[str] = (),
        permission: Permission = Permission.EVERYONE,
        place: Place = Place.BOTH,
        elsewhere: str = "",
        limit_s: float = LIMIT_S,
        group: CommandGroup = CommandGroup.MORE,
        phrases: Sequence[str] = (),
        changes: bool = True,
    ) -> Callable[[Handler[S, P]], Handler[S, P]]:
        """Declare a command that people can type.

        ``usage`` has a line for each way to write it (``send NAME to TARGET``). The first line that fits is
        taken, so the most general one stands last; the help shows it first.
        Upper-case words become keyword arguments of the handler, in lower case, read as its annotations
        say: see ``filebot.plugin.arguments``. A value of another usage line is left to its default, None
        where the annotation allows it, or else an empty text.

        The handler runs only for people with the ``permission``, at the ``place``; everybody else is told
        why not. ``elsewhere`` is a template of the plugin for people at another place.

        A call that takes longer than ``limit_s`` is ended, and the person reads that. The limit stands
        still while a file moves, or waits for others that move.

        ``help all`` lists the command under its ``group``.

        ``phrases`` are other ways to say it, in any language: ``(lend|give) NAME to PERSON for SPAN``. What
        is in ``[...]`` may be left out, ``(a|b)`` is a choice. What is read so is asked about first, unless
        the command ``changes`` nothing.
        """
        lines = (usage,) if isinstance(usage, str) else tuple(usage)
        hook = f"command {name!r} of plugin {self.name!r}"

        def declare(handler: Handler[S, P]) -> Handler[S, P]:
            usages = _parsed(hook, name, lines)
            _examine_words(hook, name, aliases)
            examine_limit(hook, limit_s)
            _examine_handler(hook, handler, {parameter for each in usages for parameter in each.parameters})
            help_text = paragraphs(handler.__doc__ or "")
            if not help_text:
                raise PluginError(f"{hook} needs a docstring: its help")
            parameters = parameters_of(hook, handler, usages)
            _examine_permission(hook, permission, place, group, parameters)
            self.commands.append(
                Command(
                    self.name,
                    name,
                    usages,
                    tuple(aliases),
                    help_text,
                    handler,
                    parameters,
                    permission,
                    place,
                    elsewhere,
                    limit_s,
                    group,
                    _examined(hook, name, phrases, {each.name for each in parameters}),
                    changes,
                )
            )
            return handler

        return declare


def paragraphs(docstring: str) -> str:
    """Return a docstring with each paragraph on one line, as replies show it."""
    text = inspect.cleandoc(docstring)
    return "\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def _parsed(place: str, name: str, lines: Sequence[str]) -> tuple[CommandUsage, ...]:
    if any(line.split()[:1] != [name] for line in lines) or not lines:
        raise PluginError(f"{place}: its usage must begin with {name}")
    try:
        return tuple(CommandUsage.parse(line) for line in lines)
    except ValueError as error:
        raise PluginError(f"{place}: {error}") from error


def _examined(place: str, name: str, phrases: Sequence[str], values: Collection[str]) -> tuple[str, ...]:
    """Return the phrases of a command. Raises PluginError for one that cannot be used."""
    if isinstance(phrases, str):
        raise PluginError(f"{place}: phrases are a tuple, not one text; write ({phrases!r},)")
    for line in phrases:
        try:
            unknown = set(Phrase.parse(name, line).parameters).difference(values)
        except BadPhrase as error:
            raise PluginError(f"{place}: the phrase {line!r} cannot be read: {error}") from error
        if unknown:
            raise PluginError(f"{place}: the phrase {line!r} has {min(unknown).upper()}, but no usage has")
    return tuple(phrases)


def _examine_words(place: str, name: str, aliases: Sequence[str]) -> None:
    if isinstance(aliases, str):
        raise PluginError(f"{place}: aliases are a tuple, not one text; write ({aliases!r},)")
    for word in (name, *aliases):
        # Words are looked up casefolded and without the prefix, so others would never be found.
        if word.casefold().split() != [word] or word.startswith("!"):
            raise PluginError(
                f"{place}: nobody could type {word!r}; a name or alias is one word without capitals "
                "that does not begin with !"
            )
        if word in ANSWERS:
            raise PluginError(f"{place}: {word!r} answers questions of the bot; choose another word")


def _examine_handler(place: str, handler: Callable[..., object], values: Collection[str]) -> None:
    """Raise PluginError if a handler does not take the values of its usages."""
    examine_coroutine(place, handler)
    name, taken = name_of(handler), list(inspect.signature(handler).parameters.values())[1:]
    if not any(each.kind is each.VAR_KEYWORD for each in taken):
        for value in sorted(set(values).difference(each.name for each in taken)):
            raise PluginError(
                f"{place}: its usage has {value.upper()}, but {name} has no argument {value!r}; add it"
            )
    for each in taken:
        is_one = each.kind not in {each.VAR_KEYWORD, each.VAR_POSITIONAL}
        if is_one and each.default is each.empty and each.name not in values:
            raise PluginError(
                f"{place}: {name} has an argument {each.name!r}, but its usage has no {each.name.upper()}; "
                "add it to the usage, or give the argument a default"
            )
    given = ", ".join(["a context", *sorted(values)])
    examine_arguments(place, handler, given, object(), **dict.fromkeys(values, ""))


def _examine_permission(
    place: str,
    permission: Permission,
    where: Place,
    group: CommandGroup,
    parameters: Iterable[Parameter],
) -> None:
    for given, kind in (permission, Permission), (where, Place), (group, CommandGroup):
        if not isinstance(given, kind):
            raise PluginError(f"{place}: {given!r} is no {kind.__name__}; import it from filebot.plugin")
    has_room = where is Place.ROOM or any(each.kind is Kind.ROOM for each in parameters)
    if permission.is_of_a_room and not has_room:
        raise PluginError(
            f"{place}: {permission} is about a room; "
            "write place=Place.ROOM, or take an argument of type Room"
        )
