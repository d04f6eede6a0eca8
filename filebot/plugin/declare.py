"""Declarations of plugins, checked when the module is loaded."""

import dataclasses
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from filebot.errors import PluginError
from filebot.plugin.commands import CommandList
from filebot.plugin.declare_checks import CheckDeclarations
from filebot.plugin.declare_commands import CommandDeclarations
from filebot.plugin.declare_entry_lines import EntryLinesDeclarations, EntryLinesSpec
from filebot.plugin.declare_finding import FindingDeclarations
from filebot.plugin.declare_jobs import JobDeclarations
from filebot.plugin.declare_life import LifeDeclarations
from filebot.plugin.declare_listeners import ListenerDeclarations
from filebot.plugin.declare_people import PeopleDeclarations
from filebot.plugin.declare_rooms import RoomDeclarations, RoomLineSpec
from filebot.plugin.finding import FilterSpec, ResolverSpec, by_name
from filebot.plugin.lifespan import HOOK, Lifespan
from filebot.plugin.needs import NEEDS, Grants, Need, views
from filebot.plugin.words import folder_of, templates_in
from filebot.rooms.setting_types import OnOff, RoomSetting, SettingType

S = TypeVar("S")
V = TypeVar("V")
D = TypeVar("D")


class Plugin(
    CommandDeclarations[S],
    ListenerDeclarations[S],
    CheckDeclarations[S],
    JobDeclarations[S],
    LifeDeclarations[S],
    FindingDeclarations[S],
    PeopleDeclarations[S],
    EntryLinesDeclarations[S],
    RoomDeclarations[S],
):
    """Declares a plugin: its name, settings, words, commands, listeners, checks, jobs, schedules and
    lifespan.

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
        self.name = name
        CommandDeclarations.__init__(self)
        ListenerDeclarations.__init__(self)
        CheckDeclarations.__init__(self)
        JobDeclarations.__init__(self)
        RoomDeclarations.__init__(self)
        LifeDeclarations.__init__(self)
        FindingDeclarations.__init__(self)
        PeopleDeclarations.__init__(self)
        EntryLinesDeclarations.__init__(self)
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
        presence: str = "",
    ) -> RoomSetting[V | D]:
        """Declare a setting of rooms, which the admins of each change with ``room set NAME VALUE``.

        The bot stores it, shows it in ``room`` and forgets it with the room. While your plugin is not
        loaded it cannot be set and does nothing. ``kind`` is ``bool`` (on and off), ``Choice``, ``Number``
        or ``ByteSize``; with ``default=None`` it can also be ``off``, which is None.

        ``words`` is a Jinja text that shows the ``value``; without it ``room`` shows name and value.
        ``told`` names a template that everybody in the room is told when the value changes; it is given
        the room's ``state``.

        With ``consent=True`` your plugin is told what people post in the room without addressing the bot,
        by RoomFilePosted, as long as the setting is on. The bot catches up with what it missed there, and
        its presence in the room says so by the template ``presence``.

        Read it with ``ctx.rooms.setting(...)``.
        """
        setting = RoomSetting[Any](
            self.name,
            name,
            OnOff() if isinstance(kind, type) else kind,
            default,
            consent=consent,
            told=told,
            presence=presence,
        )
        if any(each.name == name for each in self.room_settings):
            raise PluginError(f"plugin {self.name!r} has two room settings {name!r}")
        self.room_settings.append(setting)
        if words:
            self.templates[setting.template.partition("/")[2]] = words
        return setting

    @property
    def grants(self) -> Grants:
        """Parts of the context that the plugin's functions may use."""
        return Grants(self.name, self.needs, self.declared_at, views(self.needs))

    def hooks(self) -> Iterator[tuple[str, Callable[..., object]]]:
        """Yield each function that the bot calls, with what it is."""
        for command in self.commands:
            yield command.hook, command.handler
        for listener in (*self.listeners, *self.durable_listeners):
            yield listener.hook, listener.handler
        for check in self.checks:
            yield check.hook, check.handler
        for job in self.jobs.values():
            yield job.hook, job.handler
        for schedule in self.schedules.values():
            yield schedule.hook, schedule.handler
        if self.lives is not None:
            yield HOOK, self.lives.handler
        finding: tuple[FilterSpec | ResolverSpec, ...] = (*self.filters, *self.resolvers)
        for help_in_finding in finding:
            yield help_in_finding.hook, help_in_finding.handler
        for of_people in (*self.exports, *self.forgets):
            yield of_people.hook, of_people.handler
        lines: tuple[EntryLinesSpec | RoomLineSpec, ...] = (*self.entry_lines_specs, *self.room_lines)
        for spec in lines:
            yield spec.hook, spec.handler


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin with its settings checked."""

    plugin: Plugin[Any]
    settings: object


def commands_of(plugins: Iterable[LoadedPlugin]) -> CommandList:
    """Return all commands of some plugins. Raises PluginError if two have a word in common."""
    return CommandList(command for each in plugins for command in each.plugin.commands)


def lives_of(plugins: Iterable[LoadedPlugin]) -> Iterator[tuple[Lifespan[Any], object, Grants]]:
    """Yield the lifespans of some plugins, with their settings and grants."""
    for each in plugins:
        if (lifespan := each.plugin.lives) is not None:
            yield lifespan, each.settings, replace(each.plugin.grants, hook=HOOK)


def filters_of(plugins: Iterable[LoadedPlugin]) -> dict[str, FilterSpec]:
    """Return all filters of some plugins by their names. Raises PluginError if two have one name."""
    return by_name(each for loaded in plugins for each in loaded.plugin.filters)


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
