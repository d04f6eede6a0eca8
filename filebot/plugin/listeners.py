"""Listeners as plugins declare them: part of the answer, called at once, or durable."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from filebot.checks.acts import Act
from filebot.errors import PluginError
from filebot.events.facts import Event, RoomFilePosted
from filebot.jobs.payloads import PayloadCodec
from filebot.model import BareJid, Entry, SettingKey
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of
from filebot.rooms.setting_types import RoomSetting

Handler = Callable[[Any, Any], Awaitable[None]]
"""Function of a plugin that is given a context and an event."""

SettingOf = Callable[[BareJid, SettingKey], Any]
"""Function that returns the value of a setting that is in force in a room."""


@dataclass(frozen=True, slots=True)
class _Listener:
    plugin: str
    event: type[Event]
    """Class of its events."""
    handler: Handler
    hook: str
    """Description of its function, for messages about it."""
    where: RoomSetting[Any] | None = field(default=None, kw_only=True)
    """Setting of the rooms whose events it is for; None for all events."""

    def hears(self, event: Event, setting_of: SettingOf) -> bool:
        """Tell whether it is called for an event."""
        if not isinstance(event, self.event):
            return False
        if self.where is None:
            return True
        room = room_of(event)
        return room is not None and setting_of(room, self.where.key) not in (None, False)


@dataclass(frozen=True, slots=True)
class PluginListener(_Listener):
    """Listener of a plugin that is called after an event, in the same process."""

    at_once: bool = False
    """Called beside everything else; nobody waits for it. Otherwise it is part of the answer."""


@dataclass(frozen=True, slots=True)
class DurableListener(_Listener):
    """Listener of a plugin that is called by jobs."""

    codec: PayloadCodec[Any]

    @property
    def job(self) -> str:
        """Name of its jobs."""
        return f"on {self.event.__name__}: {name_of(self.handler)}"


def examine_listener(
    plugin: str,
    event: object,
    handler: Callable[..., object],
    *,
    at_once: bool,
    durable: bool,
    where: object = None,
) -> None:
    """Raise PluginError if this is no listener."""
    place = _place(plugin, handler)
    if not (isinstance(event, type) and issubclass(event, Event)):
        hint = ""
        if isinstance(event, type) and issubclass(event, Act):
            hint = f"; what is asked before something is done is a check: @plugin.check({event.__name__})"
        raise PluginError(f"{place} is for {event!r}, which is no class of events{hint}")
    examine_coroutine(place, handler)
    examine_arguments(place, handler, "a context and an event", object(), object())
    if durable and issubclass(event, RoomFilePosted):
        raise PluginError(
            f"{place} is durable; what people post for others is not kept to be told later: "
            "leave out durable=True"
        )
    if at_once and durable:
        raise PluginError(f"{place} is both at once and durable; leave one of them out")
    if where is not None and not (isinstance(where, RoomSetting) and where.key.plugin == plugin):
        raise PluginError(f"{place}: where={where!r} is no room setting of the plugin; declare it first")


def durable_listener(
    plugin: str, event: type[Event], handler: Handler, where: RoomSetting[Any] | None
) -> DurableListener:
    """Return a durable listener. Raises PluginError if its events cannot be kept."""
    place = _place(plugin, handler)
    if event is Event:
        raise PluginError(f"{place} is durable; name one class of events")
    try:
        codec = PayloadCodec[Any](event)
    except TypeError as error:
        raise PluginError(
            f"{place}: events of {event.__name__} cannot be kept; leave out durable=True ({error})"
        ) from error
    return DurableListener(plugin, event, handler, hook_of(handler), codec, where=where)


def room_of(event: Event) -> BareJid | None:
    """Return the room that an event is about: its file's, or else the one that its sender spoke in."""
    entry = getattr(event, "entry", None)
    return entry.room if isinstance(entry, Entry) else event.sender.room


def _place(plugin: str, handler: Callable[..., object]) -> str:
    return place_of(hook_of(handler), plugin, handler)


def hook_of(handler: Callable[..., object]) -> str:
    """Return the description of a listener's function."""
    return f"listener {name_of(handler)!r}"
