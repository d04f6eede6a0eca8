"""Plugins of a fake bot, as a reload reads them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from filebot.chat.rate_limits import RateLimits
from filebot.chat.reloader import PluginSet
from filebot.files.access import AccessRules
from filebot.files.quota import StorageLimits
from filebot.plugin import Plugin
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin_loader import load_declared, presence_notes, require_migrated, room_settings
from filebot.ports import PluginTables
from filebot.replies import Replies

Declared = tuple[Sequence[Plugin[Any]], Mapping[str, Mapping[str, Any]], Collection[str]]
"""Plugins beside the bundled ones, settings, and names of plugins that are disabled."""


class DeclaredSource:
    """Implements :class:`filebot.chat.reloader.Source` by plugins that were declared."""

    def __init__(
        self,
        plugins: Sequence[Plugin[Any]],
        settings: Mapping[str, Mapping[str, Any]],
        disabled: Collection[str],
        access: AccessRules,
        storage: StorageLimits,
        limits: RateLimits,
        tables: PluginTables,
        clock: Callable[[], datetime],
    ) -> None:
        self._declared: Declared = plugins, settings, disabled
        self._access = access
        self._storage = storage
        self._limits = limits
        self._tables = tables
        self._clock = clock

    def declare(
        self,
        plugins: Sequence[Plugin[Any]],
        settings: Mapping[str, Mapping[str, Any]],
        disabled: Collection[str],
    ) -> Declared:
        """Say what is wanted from now on; return what was wanted until now."""
        before, self._declared = self._declared, (plugins, settings, disabled)
        return before

    def wanted(self) -> PluginSet:
        """Return what is wanted. Raises PluginError or ConfigError."""
        declared, settings, disabled = self._declared
        replies = Replies(clock=self._clock)
        plugins = load_declared(declared, settings, replies, disabled=disabled)
        settable = room_settings(plugins, disabled)
        notes = presence_notes(settable, replies)
        return PluginSet(plugins, replies, settable, notes, self._access, self._storage, self._limits)

    async def read(self, running: Sequence[LoadedPlugin]) -> PluginSet:
        wanted = self.wanted()
        await require_migrated(wanted.plugins, running, self._tables)
        return wanted

    def settle(self, *, taken: bool) -> None:
        """Keep nothing: modules of plugins that were declared are not ours."""
