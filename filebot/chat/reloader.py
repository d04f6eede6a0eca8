"""Reload: another set of plugins, with its words and limits, takes the place of the present one.

All that may fail comes first: what stands until then is not changed. Then one set takes over from the other
with no await between, so that nobody meets half of each. Functions that run go on with the set that they
began with; lifespans of plugins that changed are open beside each other until these have ended.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from filebot.chat.assembly import Chat, build_chat, build_lifespans
from filebot.chat.dispatcher import ChatMemory
from filebot.chat.rate_limits import RateLimits
from filebot.concurrency.tasks import Tasks
from filebot.errors import ConfigError, FilebotError, ReloadRefused
from filebot.failures import placed, shown
from filebot.files.access import AccessRules
from filebot.files.quota import StorageLimits
from filebot.model import SettingKey
from filebot.plugin.declare import LoadedPlugin, lives_of
from filebot.plugin.http import Http
from filebot.plugin.lifespan import Lifespans
from filebot.plugin.reload import Reloaded
from filebot.replies import Replies
from filebot.rooms.setting_types import RoomSettingTable
from filebot.services import Services

log = logging.getLogger(__name__)

CALLS_LIMIT_S: Final = 30.0
"""Time that functions of replaced plugins have to end before their lifespans are closed."""


@dataclass(frozen=True, slots=True)
class PluginSet:
    """All that is to take the place of what there is."""

    plugins: Sequence[LoadedPlugin]
    replies: Replies
    room_settings: RoomSettingTable
    presence: Mapping[SettingKey, str]
    """Words for the bot's presence in rooms, for each setting that needs consent."""
    access: AccessRules
    storage: StorageLimits
    limits: RateLimits
    command_prefix: str = "!"
    """Beginning of commands in rooms."""
    unserved_reason: str = ""
    """Words for people who are not served."""
    restart: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Reader of the config and the plugins."""

    async def read(self, running: Sequence[LoadedPlugin]) -> PluginSet:
        """Return what is wanted now, given the plugins that run.

        Raises ReloadRefused, ConfigError, PluginError or StorageError for anything that stands in the way.
        """

    def settle(self, *, taken: bool) -> None:
        """Forget what was read last, or if that was ``taken``, what was read before."""


class Reloader:
    """Owner of the set of plugins in force; replaces it, one reload at a time."""

    def __init__(self, source: Source, services: Services, http_of: Callable[[str], Http]) -> None:
        self.replaced: Callable[[Chat], None] = lambda _: None
        """Called with the chat that takes over; to await nothing, and to raise nothing."""
        self.words_replaced: Callable[[str, str], None] = lambda *_: None
        """Called then with the beginning of commands in rooms, and the words for people who are not served;
        likewise."""
        self._source = source
        self._services = services
        self._http_of = http_of
        self._current: _Current | None = None
        self._lock = asyncio.Lock()
        self._ending = Tasks(1)

    def begin(
        self,
        plugins: Sequence[LoadedPlugin],
        replies: Replies,
        limits: RateLimits,
        lifespans: Lifespans,
        command_prefix: str = "!",
    ) -> Chat:
        """Put the first set in force. Call it in a running event loop."""
        chat = self._chat(plugins, replies, limits, lifespans, command_prefix)
        chat.take_over(self._services)
        self._current = _Current(plugins, lifespans, chat)
        return chat

    @property
    def chat(self) -> Chat:
        """The chat in force."""
        return self._in_force.chat

    async def reload(self) -> Reloaded:
        """Read all anew and let it take over. Raises ReloadRefused; all is as it was then."""
        async with self._lock:
            await self.idle()  # at most the limits of what ends there
            taken = False
            try:
                reloaded = await self._reload()
                taken = True
            except ReloadRefused:
                raise
            except ConfigError as error:
                raise ReloadRefused(error.mistakes) from error
            except FilebotError as error:
                raise ReloadRefused((shown(error),)) from error
            finally:
                if not taken:
                    self._source.settle(taken=False)
        return reloaded

    async def idle(self) -> None:
        """Wait until nothing is left of the plugins that were replaced."""
        await self._ending.idle()

    async def close(self) -> None:
        """Stop to wait for functions of replaced plugins."""
        await self._ending.close()

    async def _reload(self) -> Reloaded:
        before, ports = self._in_force, self._services.ports
        wanted = await self._source.read(before.plugins)
        same = {each.plugin.name for each in _same(before.plugins, wanted.plugins)}
        lifespans = build_lifespans(
            wanted.plugins, ports.catalog, ports.clock, self._http_of, before.lifespans, same
        )
        taken = False
        try:
            failed = await lifespans.open(
                lives_of(each for each in wanted.plugins if each.plugin.name not in same)
            )
            if failed:
                raise ReloadRefused(
                    tuple(f"plugin {name}: its lifespan: {placed(failed[name])}" for name in failed)
                )
            chat = self._chat(
                wanted.plugins,
                wanted.replies,
                wanted.limits,
                lifespans,
                wanted.command_prefix,
                before.chat.memory,
            )
            use_room_settings = await self._services.room_settings.prepared(
                wanted.room_settings, wanted.presence
            )
            # From here on nothing is awaited.
            use_room_settings()
            self._services.access.use(wanted.access)
            self._services.quota.limits = wanted.storage
            chat.take_over(self._services)
            self._current, taken = _Current(wanted.plugins, lifespans, chat), True
            self.replaced(chat)
            self.words_replaced(wanted.command_prefix, wanted.unserved_reason)
        finally:
            if not taken:
                await lifespans.close_without(before.lifespans)
        before.chat.dispatcher.successor = chat.dispatcher
        before.chat.command_forms.successor = chat.command_forms
        replaced = {each.plugin.name for each in before.plugins} - same
        self._ending.start(self._end(before, lifespans, replaced), "the end of replaced plugins")
        return _told(before.plugins, wanted, same)

    def _chat(
        self,
        plugins: Sequence[LoadedPlugin],
        replies: Replies,
        limits: RateLimits,
        lifespans: Lifespans,
        command_prefix: str,
        memory: ChatMemory | None = None,
    ) -> Chat:
        return build_chat(
            self._services,
            plugins,
            replies,
            limits,
            command_prefix,
            lifespans=lifespans,
            http_of=self._http_of,
            reload=self.reload,
            memory=memory,
        )

    @property
    def _in_force(self) -> "_Current":
        assert self._current is not None  # noqa: S101 - it has begun
        return self._current

    async def _end(self, old: "_Current", lifespans: Lifespans, replaced: Collection[str]) -> None:
        """Show the words in force; let functions of plugins that were replaced end, then close what they
        used.
        """
        try:
            await self._services.room_settings.show_notes()
            for name in await old.chat.calls.under_way.idle(replaced, CALLS_LIMIT_S):
                log.warning("a function of the replaced plugin %s goes on; what it uses is closed", name)
            await old.lifespans.close_without(lifespans)
        finally:
            self._source.settle(taken=True)


@dataclass(frozen=True, slots=True)
class _Current:
    """The set in force."""

    plugins: Sequence[LoadedPlugin]
    lifespans: Lifespans
    chat: Chat


def _same(before: Sequence[LoadedPlugin], after: Sequence[LoadedPlugin]) -> Iterator[LoadedPlugin]:
    """Yield the plugins of which neither code nor settings changed."""
    by_name = {each.plugin.name: each for each in before}
    for each in after:
        old = by_name.get(each.plugin.name)
        if old is not None and old.plugin is each.plugin and _equal(old.settings, each.settings):
            yield each


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - the comparison may be a plugin's own
        return False


def _told(before: Sequence[LoadedPlugin], wanted: PluginSet, same: Collection[str]) -> Reloaded:
    old = {each.plugin.name for each in before}
    new = {each.plugin.name for each in wanted.plugins}
    return Reloaded(
        added=tuple(sorted(new - old)),
        changed=tuple(sorted((new & old) - set(same))),
        removed=tuple(sorted(old - new)),
        restart=wanted.restart,
        notes=wanted.notes,
    )
