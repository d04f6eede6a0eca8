"""Declarations of plugins, checked when the module is loaded."""

import dataclasses
import inspect
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.plugin.arguments import Kind, Parameter, parameters_of
from filebot.plugin.commands import Command, CommandList, CommandUsage
from filebot.plugin.context import Context
from filebot.plugin.declare_jobs import JobDeclarations
from filebot.plugin.listeners import (
    DurableListener,
    PluginListener,
    durable_listener,
    examine_listener,
    hook_of,
)
from filebot.plugin.needs import NEEDS, Grants, Need
from filebot.plugin.permissions import Permission, Place
from filebot.plugin.signatures import examine_arguments, examine_coroutine
from filebot.plugin.words import folder_of, templates_in
from filebot.rooms.setting_types import OnOff, RoomSetting, SettingType

S = TypeVar("S")
E = TypeVar("E", bound=Event)
V = TypeVar("V")
D = TypeVar("D")
P = ParamSpec("P")

Handler = Callable[Concatenate[Context[S], P], Awaitable[None]]
Listener = Callable[[Context[S], E], Awaitable[None]]


class Plugin(JobDeclarations[S]):
    """Declares a plugin: its name, settings, words, commands, listeners, jobs and schedules.

    ``api`` is the version of the plugin API that it is for: 1. ``needs`` names the parts of the context
    that its functions use; they are given nothing else. ``settings`` is a dataclass whose fields all have
    defaults; ``templates`` maps names to Jinja texts, used as ``<plugin name>/<template name>``;
    ``migrations`` is the package or folder of Alembic migrations that make the plugin's own tables.
    A plugin that is a package says ``package=__name__``: then its templates are also the files
    ``templates/*.txt`` in it, and translations of them and of its help are in
    ``locale/<language>/LC_MESSAGES/<name>.po``. Mistakes raise PluginError when the module is loaded.
    """

    def __init__(
        self,
        name: str,
        *,
        api: int | None = None,
        settings: type[S] | None = None,
        templates: Mapping[str, str] | None = None,
        needs: Collection[Need] = (),
        migrations: str | Path | None = None,
        package: str | None = None,
    ) -> None:
        if not name.isidentifier() or name != name.lower():
            raise PluginError(f"{name!r} is no plugin name: lower-case letters, digits and _ only")
        if settings is not None:
            _examine_settings(name, settings)
        super().__init__(name)
        self.api = api
        """Version of the plugin API; the loader refuses None and versions that it does not know."""
        self.declared_at = _caller()
        """File and line of the declaration, for messages about mistakes in it."""
        self.needs = _examined_needs(name, needs)
        self.settings = settings
        folder = None if package is None else folder_of(package)
        self.templates = {**(templates_in(folder) if folder else {}), **(templates or {})}
        self.locale = folder / "locale" if folder else None
        self.migrations = migrations
        self.commands: list[Command] = []
        self.listeners: list[PluginListener] = []
        self.durable_listeners: list[DurableListener] = []
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
        self,
        name: str,
        *,
        usage: str | Sequence[str],
        aliases: Sequence[str] = (),
        permission: Permission = Permission.EVERYONE,
        place: Place = Place.BOTH,
        elsewhere: str = "",
    ) -> Callable[[Handler[S, P]], Handler[S, P]]:
        """Declare a command; ``usage`` has a line for each way to write it (``send NAME to TARGET``).

        The first line that fits is taken, so the most general one stands last; the help shows it first.
        Upper-case words become keyword arguments of the handler, in lower case, read as its annotations
        say: see ``filebot.plugin.arguments``. A value of another usage line is left to its default, None
        where the annotation allows it, or else an empty text.

        The handler runs only for people with the ``permission``, at the ``place``; everybody else is told
        why not. ``elsewhere`` is a template of the plugin for people at another place.
        """
        lines = (usage,) if isinstance(usage, str) else tuple(usage)
        hook = f"command {name!r} of plugin {self.name!r}"

        def declare(handler: Handler[S, P]) -> Handler[S, P]:
            usages = _parsed(hook, name, lines)
            _examine_words(hook, name, aliases)
            _examine_handler(hook, handler, {parameter for each in usages for parameter in each.parameters})
            help_text = paragraphs(handler.__doc__ or "")
            if not help_text:
                raise PluginError(f"{hook} needs a docstring: its help")
            parameters = parameters_of(hook, handler, usages)
            _examine_permission(hook, permission, place, parameters)
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
                )
            )
            return handler

        return declare

    def on(
        self, event: type[E], *, at_once: bool = False, durable: bool = False
    ) -> Callable[[Listener[S, E]], Listener[S, E]]:
        """Declare a listener, which is called after each event of this class with a context for the event's
        sender.

        It is part of the answer: whoever acted waits for it. Nobody waits for one that is called
        ``at_once``; a call that is under way when the bot is killed is lost. A ``durable`` one is called by
        a job, made in the transaction of the change: at least once, whatever happens, and again after an
        error.
        """

        def declare(listener: Listener[S, E]) -> Listener[S, E]:
            examine_listener(self.name, event, listener, at_once=at_once, durable=durable)
            if durable:
                self._add_durable(durable_listener(self.name, event, listener))
            else:
                self.listeners.append(
                    PluginListener(self.name, event, listener, hook_of(listener), at_once)
                )
            return listener

        return declare

    def _add_durable(self, new: DurableListener) -> None:
        if any(each.job == new.job for each in self.durable_listeners):
            raise PluginError(f"plugin {self.name!r} has two listeners {new.job!r}; give one another name")
        self.durable_listeners.append(new)

    @property
    def grants(self) -> Grants:
        """Parts of the context that the plugin's functions may use."""
        return Grants(self.name, self.needs, self.declared_at)

    def hooks(self) -> Iterator[tuple[str, Callable[..., object]]]:
        """Yield each function that the bot calls, with what it is."""
        for command in self.commands:
            yield command.hook, command.handler
        for listener in (*self.listeners, *self.durable_listeners):
            yield listener.hook, listener.handler
        for job in self.jobs.values():
            yield job.hook, job.handler
        for schedule in self.schedules.values():
            yield schedule.hook, schedule.handler


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin with its settings checked."""

    plugin: Plugin[Any]
    settings: object


def commands_of(plugins: Iterable[LoadedPlugin]) -> CommandList:
    """Return all commands of some plugins. Raises PluginError if two have a word in common."""
    return CommandList(command for each in plugins for command in each.plugin.commands)


def paragraphs(docstring: str) -> str:
    """Return a docstring with each paragraph on one line, as replies show it."""
    text = inspect.cleandoc(docstring)
    return "\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def _caller() -> str:
    """Return file and line of the plugin's module that declares something just now."""
    frame, between = sys._getframe(1), (__name__, "typing")  # noqa: SLF001 - as inspect and logging do
    while frame.f_globals.get("__name__") in between and frame.f_back is not None:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def _examined_needs(plugin: str, needs: Collection[str]) -> frozenset[str]:
    if isinstance(needs, str):
        raise PluginError(f"the needs of plugin {plugin!r} are a set, not one text; write {{{needs!r}}}")
    unknown = sorted(set(needs).difference(NEEDS))
    if unknown:
        raise PluginError(f"plugin {plugin!r} needs {unknown[0]!r}, which is none of {', '.join(NEEDS)}")
    return frozenset(needs)


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


def _examine_permission(
    place: str, permission: Permission, where: Place, parameters: Iterable[Parameter]
) -> None:
    for given, kind in (permission, Permission), (where, Place):
        if not isinstance(given, kind):
            raise PluginError(f"{place}: {given!r} is no {kind.__name__}; import it from filebot.plugin")
    has_room = where is Place.ROOM or any(each.kind is Kind.ROOM for each in parameters)
    if permission.is_of_a_room and not has_room:
        raise PluginError(
            f"{place}: {permission} is about a room; "
            "write place=Place.ROOM, or take an argument of type Room"
        )
