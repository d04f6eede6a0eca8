"""Declarations of plugins, checked when the module is loaded."""

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.plugin.command_syntax import CommandUsage
from filebot.plugin.context import Context
from filebot.rooms.setting_types import OnOff, RoomSetting, SettingType

S = TypeVar("S")
E = TypeVar("E", bound=Event)
V = TypeVar("V")
D = TypeVar("D")
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


class Plugin(Generic[S]):
    """Declares a plugin: its name, settings, words, commands and listeners.

    ``settings`` is a dataclass whose fields all have defaults; ``templates`` maps names to Jinja texts,
    used as ``<plugin name>/<template name>``; ``migrations`` is the package or folder of Alembic
    migrations that make the plugin's own tables. Mistakes raise PluginError when the module is loaded.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: type[S] | None = None,
        templates: Mapping[str, str] | None = None,
        migrations: str | Path | None = None,
    ) -> None:
        if not name.isidentifier() or name != name.lower():
            raise PluginError(f"{name!r} is no plugin name: lower-case letters, digits and _ only")
        if settings is not None:
            _examine_settings(name, settings)
        self.name = name
        self.settings = settings
        self.templates = dict(templates or {})
        self.migrations = migrations
        self.commands: list[CommandSpec] = []
        self.listeners: list[tuple[type[Event], Callable[[Context[S], Any], Awaitable[None]]]] = []
        self.room_settings: list[RoomSetting[Any]] = []

    def room_setting(
        self,
        name: str,
        kind: SettingType[V] | type[bool],
        *,
        default: D,
        words: str = "",
        consent: bool = False,
        told: str = "",
    ) -> RoomSetting[V | D]:
        """Declare a setting of rooms, which the admins of each change with ``room set NAME VALUE``.

        The bot stores it, shows it in ``room`` and forgets it with the room. While your plugin is not
        loaded it cannot be set and does nothing. ``kind`` is ``bool`` (on and off), ``Choice``, ``Number``
        or ``ByteSize``; with ``default=None`` it can also be ``off``, which is None.

        ``words`` is a Jinja text that shows the ``value``; without it ``room`` shows name and value.
        ``told`` names a template that everybody in the room is told when the value changes; it is given
        the room's ``state``. Say ``consent=True`` if the bot keeps what people post unasked while it is on.

        Read it with ``ctx.rooms.setting(...)``.
        """
        setting = RoomSetting[Any](
            self.name,
            name,
            OnOff() if isinstance(kind, type) else kind,
            default,
            consent=consent,
            told=told,
        )
        if any(each.name == name for each in self.room_settings):
            raise PluginError(f"plugin {self.name!r} has two room settings {name!r}")
        self.room_settings.append(setting)
        if words:
            self.templates[setting.template.partition("/")[2]] = words
        return setting

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

    def on(self, event: type[E]) -> Callable[[Listener[S, E]], Listener[S, E]]:
        """Declare a listener: called after each event of this class, with a context for its sender."""

        def declare(listener: Listener[S, E]) -> Listener[S, E]:
            place = f"listener {_name_of(listener)!r} of plugin {self.name!r}"
            named: object = event
            if not (isinstance(named, type) and issubclass(named, Event)):
                raise PluginError(f"{place} is for {named!r}, which is no class of events")
            _examine_coroutine(place, listener)
            _examine_arguments(place, listener, "a context and an event", object(), object())
            self.listeners.append((event, listener))
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
    _examine_coroutine(place, handler)
    given = ", ".join(["a context", *sorted(parameters)])
    _examine_arguments(place, handler, given, object(), **dict.fromkeys(parameters, ""))


def _examine_coroutine(place: str, function: Callable[..., object]) -> None:
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        raise PluginError(f"{place}: {_name_of(function)} is no coroutine; write async def")


def _examine_arguments(
    place: str, function: Callable[..., object], given: str, /, *values: object, **named: object
) -> None:
    try:
        inspect.signature(function).bind(*values, **named)
    except TypeError as error:
        raise PluginError(f"{place}: {_name_of(function)} is given {given}, but: {error}") from error


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", repr(function))
