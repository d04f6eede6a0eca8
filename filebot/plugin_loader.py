"""Loader of plugins and their settings: bundled ones, pip packages, and files in folders."""

import asyncio
import dataclasses
import importlib
import importlib.util
import logging
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from rapidfuzz import process

import filebot
from filebot.backends.loading import announced
from filebot.errors import ConfigError, PluginError, ReloadRefused
from filebot.failures import placed, shown
from filebot.model import SettingKey
from filebot.plugin import Plugin
from filebot.plugin.declare import LoadedPlugin, commands_of, filters_of, lives_of
from filebot.plugin.examine import examine
from filebot.plugin.lifespan import Lifespans
from filebot.plugin.words import folder_of
from filebot.plugin_files import PluginFiles, plugin_of
from filebot.ports import PluginTables
from filebot.replies import Replies
from filebot.rooms.setting_types import RoomSettingTable
from filebot.system.ownership import weakness

log = logging.getLogger(__name__)

ENTRY_POINTS: Final = "filebot.plugins"
"""The entry-point group by which pip packages announce a plugin."""

INSTALLED_PACKAGE: Final = "filebot_plugins"
"""The name that the wheel gives the folder ``plugins``, which is too common for site-packages."""

RAISED_BY_PLUGINS: Final = (Exception, SystemExit, asyncio.CancelledError, GeneratorExit)
"""Errors of a module that is run, which cost its plugin alone."""

WITHOUT_IT: Final = "; going on without it"
"""End of a line about a plugin that is left out."""

CACHE: Final = "__pycache__"
"""Where Python keeps what it compiled, and takes it from in place of the source."""


def load(
    settings: Mapping[str, Mapping[str, Any]],
    replies: Replies,
    *,
    disabled: Iterable[str] = (),
    paths: Sequence[Path] = (),
    files: PluginFiles | None = None,
    left_out: Callable[[str], None] = log.error,
) -> list[LoadedPlugin]:
    """Return all plugins that are wanted, with their settings, and add their words to ``replies``.

    ``files`` loads those of ``paths``. A bundled plugin that cannot be loaded raises PluginError; one of
    somebody else's is left out, and ``left_out`` is told why, in one line. Settings that do not hold, or
    are for no plugin, raise ConfigError with every mistake.
    """
    loading = Loading(settings, replies, frozenset(disabled))
    for plugin in bundled():
        loading.add(plugin)
    for found in foreign(paths, files or PluginFiles()):
        name = found.name
        try:
            plugin = found.load()
            name = plugin.name
            loading.add(plugin)
        except RAISED_BY_PLUGINS as error:
            loading.left_out.add(name)
            log.debug("plugin %s cannot be loaded", found.origin, exc_info=error)
            left_out(f"plugin {found.origin} cannot be loaded: {placed(error, found.roots)}{WITHOUT_IT}")
    mistakes = [*loading.unknown(), *loading.mistakes]
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return loading.loaded


def load_declared(
    plugins: Iterable[Plugin[Any]],
    settings: Mapping[str, Mapping[str, Any]],
    replies: Replies,
    *,
    disabled: Iterable[str] = (),
) -> list[LoadedPlugin]:
    """Return the bundled plugins and some that are there already, as :func:`load` returns them.

    Raises PluginError for the first that cannot be loaded, and ConfigError for settings that do not hold.
    """
    loading = Loading(settings, replies, frozenset(disabled))
    for plugin in (*bundled(), *plugins):
        loading.add(plugin)
    if loading.mistakes:
        raise ConfigError(tuple(loading.mistakes))
    return loading.loaded


def room_settings(plugins: Iterable[LoadedPlugin], disabled: Collection[str] = ()) -> RoomSettingTable:
    """Return the room settings that loaded plugins declare.

    Without the command ``room`` nobody could see or change one: then there are none. Raises PluginError if
    two have one name.
    """
    loaded = [each.plugin for each in plugins]
    declared = [setting for plugin in loaded for setting in plugin.room_settings]
    absent = [plugin for plugin in bundled() if plugin.name in disabled] if disabled else []
    off = [each.name for plugin in absent for each in plugin.room_settings]
    if any(command.name == "room" for plugin in loaded for command in plugin.commands):
        return RoomSettingTable(declared, off)
    return RoomSettingTable((), [*off, *(each.name for each in declared)])


def presence_notes(
    settings: RoomSettingTable, replies: Replies, language: str = "", prefix: str = "!"
) -> dict[SettingKey, str]:
    """Return what the bot's presence says in rooms where a setting that needs consent is on."""
    return {
        each.key: replies.render(each.presence, language, prefix=prefix) or each.name
        for each in settings.all()
        if each.consent
    }


async def with_tables(
    plugins: Sequence[LoadedPlugin], tables: PluginTables, left_out: Callable[[str], None] = log.error
) -> list[LoadedPlugin]:
    """Bring the tables of all plugins up to date; return those whose tables can be used.

    ``left_out`` is told of the others, in one line each. Raises StorageError.
    """
    usable = []
    for loaded in plugins:
        plugin = loaded.plugin
        try:
            if plugin.migrations is not None:
                await tables.prepare(plugin.name, migrations_of(plugin))
        except PluginError as error:
            text = placed(error, (str(_folder_of(plugin.migrations)),))
            left_out(f"plugin {plugin.name} cannot be used: {text}{WITHOUT_IT}")
        else:
            usable.append(loaded)
    return usable


async def require_migrated(
    plugins: Iterable[LoadedPlugin], running: Iterable[LoadedPlugin], tables: PluginTables
) -> None:
    """Raise ReloadRefused, with a line for each plugin that does not run yet and cannot be used before its
    migrations do.

    Raises StorageError.
    """
    waiting, known = list[str](), {id(each.plugin) for each in running}
    for plugin in (each.plugin for each in plugins if id(each.plugin) not in known):
        try:
            if plugin.migrations is not None and not await tables.is_current(
                plugin.name, migrations_of(plugin)
            ):
                waiting.append(f"plugin {plugin.name}: restart needed: its migrations have to run")
        except PluginError as error:
            waiting.append(f"plugin {plugin.name}: {shown(error)}")
    if waiting:
        raise ReloadRefused(tuple(waiting))


async def with_lifespans(
    plugins: Sequence[LoadedPlugin], lifespans: Lifespans, left_out: Callable[[str], None] = log.error
) -> list[LoadedPlugin]:
    """Open the lifespans of all plugins; return those that are open, and those that have none.

    ``left_out`` is told of the others, in one line each.
    """
    failed = await lifespans.open(lives_of(plugins))
    for name, error in failed.items():
        log.debug("the lifespan of plugin %s failed", name, exc_info=error)
        left_out(f"plugin {name} cannot be used: its lifespan: {placed(error)}{WITHOUT_IT}")
    return [each for each in plugins if each.plugin.name not in failed]


def migrations_of(plugin: Plugin[Any]) -> Path:
    """Return the folder of a plugin's migrations. Raises PluginError if there is none."""
    folder = _folder_of(plugin.migrations)
    if folder is None or not folder.is_dir():
        raise PluginError(f"there is no package or folder {plugin.migrations} with its migrations")
    return folder


def _folder_of(migrations: str | Path | None) -> Path | None:
    try:
        return migrations if isinstance(migrations, Path) else folder_of(migrations or "")
    except PluginError:
        return None


class Loading:
    """Plugins loaded so far, and the mistakes found."""

    def __init__(
        self, settings: Mapping[str, Mapping[str, Any]], replies: Replies, off: frozenset[str]
    ) -> None:
        self.loaded: list[LoadedPlugin] = []
        self.mistakes: list[str] = []
        self.known: set[str] = set()
        self.left_out: set[str] = set()
        """Plugins that cannot be used; that the config speaks of them is no mistake."""
        self._settings = settings
        self._replies = replies
        self._off = off

    def add(self, plugin: Plugin[Any]) -> None:
        """Take a plugin whole, or note what is wrong in its settings. Raises PluginError for a name, a
        command, a filter, a room setting or words that cannot be its own, and whatever its settings raise;
        nothing is taken then.
        """
        if plugin.name in self.known:
            raise PluginError(f"there is a plugin {plugin.name!r} already; give it another name")
        examine(plugin, self._replies.has)
        try:
            values = checked(plugin, self._settings.get(plugin.name, {}))
        except ConfigError as error:
            self.mistakes += error.mistakes
            self.known.add(plugin.name)
            return
        if plugin.name not in self._off:
            if plugin.migrations is not None:
                migrations_of(plugin)
            loaded = [*self.loaded, LoadedPlugin(plugin, values)]
            commands_of(loaded)
            filters_of(loaded)
            room_settings(loaded)
            self._examine_words(plugin)
            self._replies.add(plugin.name, plugin.templates, plugin.locale)
            self.loaded = loaded
        self.known.add(plugin.name)

    def _examine_words(self, plugin: Plugin[Any]) -> None:
        """Raise PluginError for words of room settings that would leave a room without an answer."""
        own = {f"{plugin.name}/{name}": text for name, text in plugin.templates.items()}
        for setting in plugin.room_settings:
            place = f"room setting {setting.name!r} of plugin {plugin.name!r}"
            for name in filter(None, (setting.told, setting.presence)):
                if name not in own and not self._replies.has(name):
                    raise PluginError(f"{place}: there is no template {name!r}")
            if words := own.get(setting.template):
                try:
                    self._replies.examine_values(words, value=setting.default)
                except PluginError as error:
                    raise PluginError(f"{place}: its words fail: {error}") from error

    def unknown(self) -> list[str]:
        """Return a mistake for each name in the config that no plugin has."""
        names = (self._settings.keys() | self._off) - self.known - self.left_out
        return [
            f"plugins.{name}: no plugin of this name{_did_you_mean(name, sorted(self.known))}"
            for name in sorted(names)
        ]


def bundled() -> Iterator[Plugin[Any]]:
    """Return the plugins that come with filebot. Raises PluginError if they are missing."""
    package = _bundled_package()
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        yield plugin_of(importlib.import_module(module.name))


def _bundled_package() -> ModuleType:
    if importlib.util.find_spec(INSTALLED_PACKAGE) is not None:
        return importlib.import_module(INSTALLED_PACKAGE)
    # In a checkout the folder stands beside the package; no other ``plugins`` will do.
    beside = Path(filebot.__file__).parent.parent / "plugins" / "__init__.py"
    package = importlib.import_module("plugins")
    if package.__file__ is None or Path(package.__file__).resolve() != beside.resolve():
        raise PluginError(f"the bundled plugins are missing: neither {INSTALLED_PACKAGE} nor {beside}")
    return package


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """Plugin of somebody else that is not loaded yet."""

    name: str
    """Name that it seems to have: that of its file or entry point."""
    origin: str
    """File, or entry point."""
    package: str
    """Distribution with its version; empty for a file."""
    load: Callable[[], Plugin[Any]]
    """Function that loads it. Raises whatever its module does."""
    roots: Collection[str] = ()
    """Its file, or the folders of its package."""


def foreign(paths: Sequence[Path], files: PluginFiles) -> Iterator[FoundPlugin]:
    """Find the plugins of pip packages, and those in folders. Nothing of theirs is run."""
    for entry_point in announced(ENTRY_POINTS):
        dist = entry_point.dist
        package = "" if dist is None else f"{dist.name} {dist.version}"
        yield FoundPlugin(
            entry_point.name,
            entry_point.name,
            package,
            partial(_packaged, entry_point),
            _roots_of(entry_point),
        )
    for folder in paths:
        for file in sorted(folder.glob("*.py")):
            yield FoundPlugin(file.stem, str(file), "", partial(files.plugin_in, file), (str(file),))


def _roots_of(entry_point: EntryPoint) -> Collection[str]:
    """Return the file or folders of the module or package that an entry point names."""
    try:
        spec = importlib.util.find_spec(entry_point.module.partition(".")[0])
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return ()
    return [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]


def weaknesses(paths: Sequence[Path]) -> Iterator[str]:
    """Return a line for each place in these folders where somebody else could put a plugin."""
    for folder in paths:
        # A plugin may have its migrations in a folder below.
        files = sorted([*folder.rglob("*.py"), *folder.rglob("*.pyc")])
        folders = dict.fromkeys(file.parent for file in files if file.parent != folder)
        for place in (folder, folder / CACHE, *folders, *files):
            reason = weakness(place)
            if reason is not None:
                yield reason
                if place == folder:
                    break  # the same holds of all in it


def _packaged(entry_point: EntryPoint) -> Plugin[Any]:
    return plugin_of(entry_point.load())


def checked(plugin: Plugin[Any], table: Mapping[str, Any]) -> object:
    """Return the plugin's settings made from its table in the config. Raises ConfigError."""
    place = f"plugins.{plugin.name}"
    if plugin.settings is None:
        fields: list[str] = []
    else:
        fields = [field.name for field in dataclasses.fields(plugin.settings)]
    mistakes = [
        f"{place}.{key}: unknown key{_did_you_mean(key, fields)}" for key in table if key not in fields
    ]
    if mistakes:
        raise ConfigError(tuple(mistakes))
    if plugin.settings is None:
        return None
    try:
        return TypeAdapter(plugin.settings).validate_python(dict(table))
    except ValidationError as error:
        raise ConfigError(
            tuple(
                f"{'.'.join([place, *map(str, mistake['loc'])])}: "
                f"{mistake['msg'].removeprefix('Value error, ')}"
                for mistake in error.errors(include_url=False, include_input=False)
            )
        ) from error


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    match = process.extractOne(word, known, score_cutoff=60)
    if match:
        return f'; did you mean "{match[0]}"?'
    return f"; known are {', '.join(known)}" if known else "; it has no settings"
