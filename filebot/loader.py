"""Finds plugins and checks their settings: the bundled ones, pip packages, and files in folders."""

import dataclasses
import importlib
import importlib.util
import logging
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from rapidfuzz import process

import filebot
from filebot.commands import LoadedPlugin
from filebot.errors import ConfigError, PluginError
from filebot.plugin import Plugin

log = logging.getLogger(__name__)

ENTRY_POINTS: Final = "filebot.plugins"
"""The entry-point group by which pip packages announce a plugin."""

INSTALLED_PACKAGE: Final = "filebot_plugins"
"""The name that the wheel gives the folder ``plugins``, which is too common for site-packages."""


def load(
    settings: Mapping[str, Mapping[str, Any]], *, disabled: Iterable[str] = (), paths: Sequence[Path] = ()
) -> list[LoadedPlugin]:
    """All plugins that are wanted, with their settings.

    A bundled plugin that cannot be loaded raises PluginError; one of somebody else's is logged and left
    out. Settings that do not hold, or are for no plugin, raise ConfigError with every mistake.
    """
    off = frozenset(disabled)
    plugins = {plugin.name: plugin for plugin in [*bundled(), *_foreign(paths)]}
    unknown = (settings.keys() | off) - plugins.keys()
    mistakes = [_unknown_plugin(name, plugins) for name in sorted(unknown)]
    loaded = []
    for plugin in plugins.values():
        try:
            values = checked(plugin, settings.get(plugin.name, {}))
        except ConfigError as error:
            mistakes += error.mistakes
        else:
            if plugin.name not in off:
                loaded.append(LoadedPlugin(plugin, values))
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return loaded


def bundled() -> Iterator[Plugin[Any]]:
    """The plugins that come with filebot. Raises PluginError if they are missing."""
    package = _bundled_package()
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        yield _plugin_of(importlib.import_module(module.name))


def _bundled_package() -> ModuleType:
    if importlib.util.find_spec(INSTALLED_PACKAGE) is not None:
        return importlib.import_module(INSTALLED_PACKAGE)
    # In a checkout the folder stands beside the package; no other ``plugins`` will do.
    beside = Path(filebot.__file__).parent.parent / "plugins" / "__init__.py"
    package = importlib.import_module("plugins")
    if package.__file__ is None or Path(package.__file__).resolve() != beside.resolve():
        raise PluginError(f"the bundled plugins are missing: neither {INSTALLED_PACKAGE} nor {beside}")
    return package


def _foreign(paths: Sequence[Path]) -> Iterator[Plugin[Any]]:
    for entry_point in entry_points(group=ENTRY_POINTS):
        try:
            yield _plugin_of(entry_point.load())
        except Exception:
            log.exception("plugin %s cannot be loaded; going on without it", entry_point.name)
    for folder in paths:
        for file in sorted(folder.glob("*.py")):
            try:
                yield _plugin_of(_module_from(file))
            except Exception:
                log.exception("plugin %s cannot be loaded; going on without it", file)


def _module_from(file: Path) -> ModuleType:
    name = f"filebot_local_plugins.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _plugin_of(found: object) -> Plugin[Any]:
    plugin = found if isinstance(found, Plugin) else getattr(found, "plugin", None)
    if not isinstance(plugin, Plugin):
        raise PluginError(f"{found!r} has no variable named plugin that is a Plugin")
    return plugin


def checked(plugin: Plugin[Any], table: Mapping[str, Any]) -> object:
    """The plugin's settings made from its table in the config. Raises ConfigError."""
    place = f"plugins.{plugin.name}"
    if plugin.settings is None:
        fields: list[str] = []
    else:
        fields = [field.name for field in dataclasses.fields(plugin.settings())]
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
                f"{'.'.join([place, *map(str, mistake['loc'])])}: {mistake['msg']}"
                for mistake in error.errors(include_url=False, include_input=False)
            )
        ) from error


def _unknown_plugin(name: str, plugins: Mapping[str, Plugin[Any]]) -> str:
    return f"plugins.{name}: no plugin of this name{_did_you_mean(name, list(plugins))}"


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    match = process.extractOne(word, known, score_cutoff=60)
    if match:
        return f'; did you mean "{match[0]}"?'
    return f"; known are {', '.join(known)}" if known else "; it has no settings"
