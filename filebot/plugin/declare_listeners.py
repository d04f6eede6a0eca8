"""Declarations of a plugin's listeners."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, overload

from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.plugin.context import Context
from filebot.plugin.listeners import (
    DurableListener,
    PluginListener,
    durable_listener,
    examine_listener,
    hook_of,
)
from filebot.rooms.setting_types import RoomSetting

S = TypeVar("S")
E = TypeVar("E", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)

Listener = Callable[[Context[S], E], Awaitable[None]]


class ListenerDeclarations(Generic[S]):
    """Declarations of what a plugin does after events."""

    name: str

    def __init__(self) -> None:
        self.listeners: list[PluginListener] = []
        self.durable_listeners: list[DurableListener] = []

    @overload
    def on(
        self,
        event: type[E],
        *,
        at_once: bool = False,
        durable: bool = False,
        where: RoomSetting[Any] | None = None,
    ) -> Callable[[Listener[S, E]], Listener[S, E]]: ...
    @overload
    def on(
        self,
        event: type[E],
        second: type[E2],
        /,
        *,
        at_once: bool = False,
        durable: bool = False,
        where: RoomSetting[Any] | None = None,
    ) -> Callable[[Listener[S, E | E2]], Listener[S, E | E2]]: ...
    @overload
    def on(
        self,
        event: type[E],
        second: type[E2],
        third: type[E3],
        /,
        *,
        at_once: bool = False,
        durable: bool = False,
        where: RoomSetting[Any] | None = None,
    ) -> Callable[[Listener[S, E | E2 | E3]], Listener[S, E | E2 | E3]]: ...
    def on(
        self,
        event: type[Event],
        *more: type[Event],
        at_once: bool = False,
        durable: bool = False,
        where: RoomSetting[Any] | None = None,
    ) -> Callable[[Listener[S, Any]], Listener[S, Any]]:
        """Declare a listener, which is called after each event of this class, or of up to three classes,
        with a context for the event's sender.

        It is part of the answer: whoever acted waits for it. Nobody waits for one that is called
        ``at_once``; a call that is under way when the bot is killed is lost. A ``durable`` one is called by
        a job, made in the transaction of the change: at least once, whatever happens, and again after an
        error.

        With ``where``, a room setting of the plugin, it is called only for events of rooms in which that is
        neither None nor off: of their files, or of what somebody said there.
        """

        def declare(listener: Listener[S, Any]) -> Listener[S, Any]:
            for each in (event, *more):
                examine_listener(self.name, each, listener, at_once=at_once, durable=durable, where=where)
                if durable:
                    self._add_durable(durable_listener(self.name, each, listener, where))
                else:
                    self.listeners.append(
                        PluginListener(self.name, each, listener, hook_of(listener), at_once, where=where)
                    )
            return listener

        return declare

    def _add_durable(self, new: DurableListener) -> None:
        if any(each.job == new.job for each in self.durable_listeners):
            raise PluginError(f"plugin {self.name!r} has two listeners {new.job!r}; give one another name")
        self.durable_listeners.append(new)
