"""Calls of plugins' listeners: what an event is told to, and in which order."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.errors import PluginError
from filebot.events.facts import Event, RoomFilePosted
from filebot.failures import Origin, report
from filebot.model import BareJid
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.context import Context
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.plugin.effects import note_effect
from filebot.plugin.handlers import CallsUnderWay, call_limited, called, examine_nothing
from filebot.plugin.listeners import PluginListener, SettingOf

LISTENER_LIMIT_S: Final = 60.0


class ListenerCalls:
    """Calls the listeners of plugins."""

    def __init__(
        self,
        channel: Channel,
        listeners: Sequence[PluginListener],
        context: Callable[[str, str, Conversation], Context[Any]],
        origin: Callable[[str, str, object], Origin],
        under_way: CallsUnderWay,
        at_once: CallsAtOnce,
        *,
        consent: Callable[[BareJid], Collection[str]],
        room_setting_of: SettingOf,
    ) -> None:
        """``context`` and ``origin`` are given a plugin and its hook; ``consent`` has the plugins that a
        room lets know what is posted there. ``at_once`` has calls of plugins loaded earlier, too.
        """
        self._channel = channel
        self._listeners = listeners
        self._context = context
        self._origin = origin
        self._under_way = under_way
        self._at_once = at_once
        self._consent = consent
        self._room_setting_of = room_setting_of

    async def tell(self, event: Event) -> None:
        """Call the listeners of an event: some at once, then the others one after the other.

        One that fails does not stop the rest.
        """
        note_effect(event)
        await self._channel.chat_state.shown_files.note(event)
        listeners = [
            each
            for each in self._listeners
            if each.hears(event, self._room_setting_of) and self._may_hear(each, event)
        ]
        if not listeners:
            return
        conversation = await self._channel.conversation(event.sender, event.language)
        for each in listeners:
            if each.at_once:
                call = partial(self._call, each, conversation, event)
                self._start(each.plugin, call, f"listener of {type(event).__name__}")
        answering = [each for each in listeners if not each.at_once]
        with ExitStack() as under_way:
            for each in answering:
                under_way.enter_context(self._under_way.counted(each.plugin))
            for each in answering:
                await self._call(each, conversation, event)

    def _may_hear(self, listener: PluginListener, event: Event) -> bool:
        """Tell whether what is said in a room for its people is this plugin's business."""
        room = event.sender.room
        return not isinstance(event, RoomFilePosted) or (
            room is not None and listener.plugin in self._consent(room)
        )

    def _start(self, plugin: str, call: Callable[[], Awaitable[None]], name: str) -> None:
        """Make a call at once; it counts as under way also while it waits for a place."""

        async def counted() -> None:
            try:
                await call()
            finally:
                self._under_way.end(plugin)

        self._under_way.begin(plugin)
        if not self._at_once.start(plugin, counted, name):
            self._under_way.end(plugin)

    async def _call(self, listener: PluginListener, conversation: Conversation, event: Event) -> None:
        origin = self._origin(listener.plugin, listener.hook, listener.handler)
        try:
            # The limit outside: within, its error would be told to the person as one of the bot's.
            hearing = self._hear(listener, conversation, event, origin)
            await call_limited(hearing, origin, LISTENER_LIMIT_S, about=f", for {type(event).__name__},")
        except (TimeLimitExceeded, PluginError) as error:
            report(error, with_traceback=False)

    async def _hear(
        self, listener: PluginListener, conversation: Conversation, event: Event, origin: Origin
    ) -> None:
        async with errors_in_words(conversation, plugin=listener.plugin):
            context = self._context(listener.plugin, listener.hook, conversation)
            examine_nothing(await called(listener.handler(context, event), origin), origin)
