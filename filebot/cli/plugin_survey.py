"""All plugins that a bot would load, and those that it would not, each with the reason."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from filebot import __version__
from filebot.cli.bounded_load import load_bounded, place_of, told_at
from filebot.config import Config
from filebot.errors import ConfigError
from filebot.failures import shown
from filebot.plugin import Plugin
from filebot.plugin_files import PluginFiles
from filebot.plugin_loader import RAISED_BY_PLUGINS, Loading, bundled, foreign, weaknesses
from filebot.replies import Replies

State = Literal["enabled", "disabled", "failed"]

BUNDLED: Final = "filebot"


@dataclass(frozen=True, slots=True)
class SurveyedPlugin:
    """A plugin as a bot with this config would find it."""

    name: str
    version: str
    """That of its distribution; empty for a file."""
    origin: str
    """``filebot``, the package, or the file."""
    state: State
    plugin: Plugin[Any] | None
    """None if its module failed."""
    problem: str = ""
    """The reason why it cannot be used."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All plugins, and what is wrong besides."""

    plugins: tuple[SurveyedPlugin, ...]
    mistakes: tuple[str, ...]
    """Mistakes of the config about plugins, settings for example."""
    weak: tuple[str, ...] = ()
    """Places of plugins that others can write; no plugin of a folder was loaded then."""

    @property
    def has_problems(self) -> bool:
        """Whether a plugin cannot be used, or the bot would not start with this config."""
        return bool(self.mistakes or self.weak) or any(each.problem for each in self.plugins)

    def located(self, config: Config) -> "Survey":
        """Return the same, each mistake of the config with its line."""
        mistakes = config.located(ConfigError((*self.weak, *self.mistakes))).mistakes
        return replace(self, mistakes=mistakes, weak=())


def survey(config: Config | None) -> Survey:
    """Find and load all plugins, one after the other; without a config none has settings or is disabled.

    Folders that others can write are left out, as the bot would not start with them. Raises PluginError if
    the bundled plugins are missing.
    """
    disabled = frozenset(() if config is None else config.plugins.disabled)
    paths: tuple[Path, ...] = () if config is None else tuple(config.plugins.paths)
    weak = tuple(f"plugins.paths: {reason}" for reason in weaknesses(paths))
    loading = Loading({} if config is None else config.plugins.settings, Replies(), disabled)
    found = []
    for plugin in bundled():
        loading.add(plugin)
        state: State = "disabled" if plugin.name in disabled else "enabled"
        found.append(SurveyedPlugin(plugin.name, __version__, BUNDLED, state, plugin))
    for each in foreign(() if weak else paths, PluginFiles()):
        package, _, version = each.package.rpartition(" ")
        name, origin, loaded = each.name, package or each.origin, None
        state, problem = "enabled", ""
        try:
            loaded = load_bounded(each.load)
            name = loaded.name
            state = "disabled" if name in disabled else "enabled"
            loading.add(loaded)
        except RAISED_BY_PLUGINS as error:
            loading.left_out.add(name)
            state, problem = "failed", _placed(error)
        found.append(SurveyedPlugin(name, version, origin, state, loaded, problem))
    unknown = () if weak else loading.unknown()
    return Survey(tuple(found), (*unknown, *loading.mistakes), weak)


def _placed(error: BaseException) -> str:
    """Return an error on one line, with the line of the plugin unless it names one itself."""
    return told_at(None if isinstance(error, SyntaxError) else place_of(error), shown(error))
