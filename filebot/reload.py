"""Reading of the config and of the plugins anew, for a reload of the running bot."""

import asyncio
import importlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from filebot.adapters import access_rules, rate_limits, storage_limits
from filebot.backends.loading import INSPECTORS, SCANNERS, STORES, announced
from filebot.backends.sources import SOURCES
from filebot.chat.reloader import PluginSet, Reloader
from filebot.concurrency.tasks import Threads
from filebot.config import Config
from filebot.errors import ConfigError, ReloadRefused
from filebot.plugin import Plugin
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin_files import PluginFiles
from filebot.plugin_loader import (
    ENTRY_POINTS,
    WITHOUT_IT,
    presence_notes,
    require_migrated,
    room_settings,
)
from filebot.ports import PluginTables
from filebot.preflight import prepared
from filebot.replies import Replies

log = logging.getLogger(__name__)

GROUPS: Final = (ENTRY_POINTS, SOURCES, STORES.group, INSPECTORS.group, SCANNERS.group)
"""Groups of entry points by which pip packages bring something."""

READ_LIMIT_S: Final = 60.0
"""Time to read the config and to load all plugins."""

LIVE: Final = frozenset(
    {
        *("access.admins", "access.allow", "access.deny"),
        *("rooms.invitations", "rooms.command_prefix"),
        *("limits.max_file_size", "limits.quota_per_user", "limits.quota_per_room", "limits.total"),
        *("limits.files_per_message", "limits.commands_per_minute"),
        *("replies.language", "replies.templates"),
    }
)
"""Keys that take effect by a reload, beside all of the table ``plugins``."""


class ConfigSource:
    """Implements :class:`filebot.chat.reloader.Source` by the config file and what it names."""

    def __init__(
        self,
        read_config: Callable[[], Config],
        started: Config,
        files: PluginFiles,
        tables: PluginTables,
        *,
        left_out: Collection[str],
        unusable: Collection[Plugin[Any]],
    ) -> None:
        """``started`` is the config of the start, by which ``files`` were loaded.

        ``left_out`` has the lines about plugins that could not be loaded then, ``unusable`` the plugins
        that could not be used.
        """
        self._read_config = read_config
        self._started = started
        self._packages = packages()
        self._files = files
        self._new_files = files
        self._tables = tables
        self._left_out = frozenset(left_out)
        self._new_left_out = self._left_out
        self._unusable = unusable
        self._threads = Threads("reload", 1)

    async def read(self, running: Sequence[LoadedPlugin]) -> PluginSet:
        """Read in a thread: a plugin may be slow to load."""
        files = self._new_files = PluginFiles(self._files)
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                config, replies, plugins, lines, notes = await self._threads.run(self._all, files)
        except TimeoutError:
            raise ReloadRefused((f"the plugins are not loaded after {READ_LIMIT_S:g} s",)) from None
        if new := [line for line in lines if line not in self._left_out]:
            raise ReloadRefused(tuple(line.removesuffix(WITHOUT_IT) for line in new))
        self._new_left_out = frozenset(lines)
        usable = [each for each in plugins if each.plugin not in self._unusable]
        notes += [
            f"plugin {each.plugin.name} was left out at the start, and stays so until the next one"
            for each in plugins
            if each.plugin in self._unusable
        ]
        await require_migrated(usable, running, self._tables)
        settable = room_settings(usable, config.plugins.disabled)
        return PluginSet(
            usable,
            replies,
            settable,
            presence_notes(settable, replies, config.replies.language, config.rooms.command_prefix),
            access_rules(config),
            storage_limits(config),
            rate_limits(config),
            config.rooms.command_prefix,
            replies.render("errors/stranger", config.replies.language),
            (*restart_keys(self._started, config), *self._other_packages()),
            (*lines, *notes),
        )

    def settle(self, *, taken: bool) -> None:
        """Keep the plugins that were read last, or those before."""
        if taken:
            self._files.forget_without(self._new_files)
            self._files, self._left_out = self._new_files, self._new_left_out
        else:
            self._new_files.forget_without(self._files)
            self._new_files, self._new_left_out = self._files, self._left_out

    def _all(self, files: PluginFiles) -> tuple[Config, Replies, list[LoadedPlugin], list[str], list[str]]:
        lines, notes = list[str](), list[str]()
        importlib.invalidate_caches()  # for packages that were installed meanwhile
        config = self._read_config()
        try:
            replies, plugins = prepared(config, notes.append, files=files, left_out=lines.append)
        except ConfigError as error:
            raise config.located(error) from error
        replies.load()
        return config, replies, plugins, lines, notes

    def _other_packages(self) -> Iterator[str]:
        """Yield the pip packages that are of another version than at the start: their code stays loaded."""
        now = packages()
        for name, version in self._packages.items():
            if now.get(name, version) != version:
                yield f"{name} {now[name]}"


def packages() -> Mapping[str, str]:
    """Return the versions of the pip packages that have plugins or backends, by name."""
    try:
        found = [each.dist for group in GROUPS for each in announced(group)]
        return {dist.name: dist.version for dist in found if dist is not None}
    except Exception as error:  # whatever the parser of these files raises
        log.debug("the versions of packages cannot be read", exc_info=error)
        return {}


def restart_keys(started: Config, now: Config) -> tuple[str, ...]:
    """Return the keys with another value than at the start that takes effect at the next start only."""
    before, after = _values(started), _values(now)
    return tuple(sorted(key for key in after.keys() - LIVE if before[key] != after[key]))


def _values(config: Config) -> dict[str, object]:
    """Return the values of all keys but those of the table ``plugins``."""
    values: dict[str, object] = {}
    for name in Config.model_fields.keys() - {"plugins"}:
        table = getattr(config, name)
        if isinstance(table, BaseModel):
            values |= {f"{name}.{key}": getattr(table, key) for key in type(table).model_fields}
        else:
            values[name] = table
    return values


async def reload_on(wanted: asyncio.Event, reloader: Reloader) -> None:
    """Reload each time when the event is set, until cancelled; what came of it stands in the log."""
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            done = await reloader.reload()
        except ReloadRefused as error:
            for mistake in error.mistakes:
                log.error("not reloaded, all stays as it was: %s", mistake)
            continue
        except Exception:
            log.exception("not reloaded")
            continue
        for names, change in ((done.added, "new"), (done.changed, "changed"), (done.removed, "gone")):
            if names:
                log.info("plugins that are %s: %s", change, ", ".join(names))
        for note in done.notes:
            log.warning("%s", note)
        if done.restart:
            log.warning("restart needed for %s", ", ".join(done.restart))
        log.info("reloaded")
