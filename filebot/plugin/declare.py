"""Declarations of plugins, checked when the module is loaded."""

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.plugin.command_syntax import CommandUsage
from filebot.plugin.context import Context
from filebot.plugin.declare_jobs import JobDeclarations
from filebot.plugin.listeners import ListenerKind, ListenerSpec, listener_spec
from filebot.plugin.signatures import examine_arguments, examine_coroutine

S = TypeVar("S")
E = TypeVar("E", bound=Event)
P = ParamSpec("P")

Handler = Callable[Concatenate[Context[S], P], Awaitable[None]]
Listener = Callable[[Context[S], E], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as its plugin declared it."""

    plugin: str
    name: str
    usages: tuple[CommandUsage, ...]
    """In the order in which they are tried."""
    aliases: tuple[str, ...]
    help: str
    handler: Callable[..., Awaitable[None]]

    @property
    def usage(self) -> tuple[str, ...]:
        """Each way to write it, the everyday one first."""
        return tuple(usage.line for usage in reversed(self.usages))

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.help.splitlines()[0]


class Plugin(JobDeclarations[S]):
    """Declares a plugin: its name, settings, words, commands, listeners, jobs and schedules.

    ``settings`` is a dataclass whose fields all have defaults; ``templates`` maps names to Jinja texts,
    used as ``<plugin name>/<template name>``. Mistakes raise PluginError when the module is loaded.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: type[S] | None = None,
        templates: Mapping[str, str] | None = None,
    ) -> None:
        if not name.isidentifier() or name != name.lower():
            raise PluginError(f"{name!r} is no plugin name: lower-case letters, digits and _ only")
        if settings is not None:
            _examine_settings(name, settings)
        super().__init__(name)
        self.settings = settings
        self.templates = dict(templates or {})
        self.commands: list[CommandSpec] = []
        self.listeners: list[ListenerSpec] = []

    def command(
        self, name: str, *, usage: str | Sequence[str], aliases: Sequence[str] = ()
    ) -> Callable[[Handler[S, P]], Handler[S, P]]:
        """Declare a command; ``usage`` shows each way to write it (``send NAME to TARGET``).

        The first that fits counts, so the everyday way, which fits nearly everything, stands last; the help
        shows it first.

        Upper-case words are handed to the handler as keyword arguments in lower case, all ``str``; those
        that are not in the way that was used are empty.
        """
        lines = (usage,) if isinstance(usage, str) else tuple(usage)
        place = f"command {name!r} of plugin {self.name!r}"

        def declare(handler: Handler[S, P]) -> Handler[S, P]:
            usages = _parsed(place, name, lines)
            _examine_words(place, name, aliases)
            _examine_handler(
                place, handler, {parameter for each in usages for parameter in each.parameters}
            )
            help_text = paragraphs(handler.__doc__ or "")
            if not help_text:
                raise PluginError(f"{place} needs a docstring: its help")
            self.commands.append(CommandSpec(self.name, name, usages, tuple(aliases), help_text, handler))
            return handler

        return declare

    def on(
        self, event: type[E], *, at_once: bool = False, durable: bool = False
    ) -> Callable[[Listener[S, E]], Listener[S, E]]:
        """Declare a listener: called after each event of this class, with a context for its sender.

        It is part of the answer: whoever acted waits for it. One that is called ``at_once`` nobody waits
        for; it is lost if the bot is killed. A ``durable`` one is a job, made in the transaction of the
        change: it is called at least once, whatever happens, and again after an error.
        """

        def declare(listener: Listener[S, E]) -> Listener[S, E]:
            wanted = {ListenerKind.AT_ONCE: at_once, ListenerKind.DURABLE: durable}
            kinds = [kind for kind, is_wanted in wanted.items() if is_wanted]
            spec = listener_spec(self.name, event, listener, kinds)
            if durable and any(each.job == spec.job for each in self.listeners):
                raise PluginError(
                    f"plugin {self.name!r} has two listeners {spec.job!r}; give one another name"
                )
            self.listeners.append(spec)
            return listener

        return declare


def paragraphs(docstring: str) -> str:
    """Return a docstring with one line for each paragraph, as a reply shows it."""
    text = inspect.cleandoc(docstring)
    return "\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def _examine_settings(plugin: str, settings: type) -> None:
    if not dataclasses.is_dataclass(settings):
        raise PluginError(f"the settings of plugin {plugin!r} are no dataclass")
    for each in dataclasses.fields(settings):
        if each.init and each.default is each.default_factory is dataclasses.MISSING:
            raise PluginError(f"setting {each.name!r} of plugin {plugin!r} has no default; give it one")


def _parsed(place: str, name: str, lines: Sequence[str]) -> tuple[CommandUsage, ...]:
    if any(line.split()[:1] != [name] for line in lines) or not lines:
        raise PluginError(f"{place}: its usage must begin with {name}")
    try:
        return tuple(CommandUsage.parse(line) for line in lines)
    except ValueError as error:
        raise PluginError(f"{place}: {error}") from error


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


def _examine_handler(place: str, handler: Callable[..., object], parameters: Collection[str]) -> None:
    examine_coroutine(place, handler)
    given = ", ".join(["a context", *sorted(parameters)])
    examine_arguments(place, handler, given, object(), **dict.fromkeys(parameters, ""))
