"""Old names of the plugin API, which work for one more minor version, each with one warning in the log.

docs/upgrade.md lists them. This module is removed with the next minor version.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from filebot.events.facts import HistoryImportFinished, HistoryImportProgressed
from filebot.model import Entry, IncomingMessage, NewEntry, Sender
from filebot.plugin.rooms import RoomSettingValues
from filebot.replies.overrides import REMOVED_IN

log = logging.getLogger(__name__)

NAMES: Final[Mapping[str, str]] = {
    "FileArchived": "FileAutoArchived",
    "FileGoes": "DeliveryStarted",
    "FileNotSent": "DeliveryAbandoned",
    "FileSent": "FileDelivered",
    "FileWaits": "DeliveryQueued",
    "FilesNew": "RoomFilesAdded",
    "HistoryGoesOn": "HistoryImportProgressed",
    "HistoryGone": "HistoryImportFinished",
    "LinkNoticed": "LinkReceived",
    "Memberships": "RoomAccess",
    "Usage": "StorageUsage",
}
"""Old names of classes in ``filebot.plugin``, and their new names."""

ATTRIBUTES: Final = (
    (NewEntry, "archived", "auto_archived"),
    (NewEntry, "brought_by", "source_message"),
    (HistoryImportFinished, "filling", "history_import"),
    (HistoryImportProgressed, "filling", "history_import"),
    (IncomingMessage, "archived_as", "mam_id"),
    (IncomingMessage, "perhaps_done", "maybe_handled"),
    (Sender, "aside", "privately"),
    (Sender, "spoke", "message_ref"),
)

ROOM_SETTINGS: Final[Mapping[str, tuple[str, Callable[[Any], object]]]] = {
    "archive": ("archive", bool),
    "announce": ("announce", bool),
    "members_only": ("who-may-get", lambda value: value == "members"),
    "max_size": ("max-size", lambda value: value),
    "retention_days": ("retention", lambda value: value),
}
"""Attributes of ``RoomState.settings``, each with the setting, and with what it makes of the value."""

_warned: set[str] = set()


def warn_once(old: str, new: str, user: str = "a plugin") -> None:
    """Log that ``user`` uses an old name, once for each name."""
    if old not in _warned:
        _warned.add(old)
        log.warning(
            "%s uses %s, which is %s now; write that: the old name goes with %s", user, old, new, REMOVED_IN
        )


def renamed(namespace: Mapping[str, object], old: str) -> object:
    """Return the class with the old name ``old``, for the ``__getattr__`` of a module with this namespace.

    Raises AttributeError if there is none.
    """
    new = NAMES.get(old)
    if new is None:
        raise AttributeError(f"module {namespace['__name__']!r} has no attribute {old!r}")
    warn_once(old, new, _importer())
    return namespace[new]


def alias(owner: str, old: str, new: str) -> Any:
    """Return a property that reads the attribute ``new`` where ``old`` is asked for."""

    def read(self: object) -> object:
        warn_once(f"{owner}.{old}", f"{owner}.{new}")
        return getattr(self, new)

    return property(read, doc=f"Old name of ``{new}``.")


def _room_setting(self: RoomSettingValues, old: str) -> object:
    """Return an attribute that ``RoomState.settings`` had. Raises AttributeError."""
    if old not in ROOM_SETTINGS:
        raise AttributeError(f"there is no attribute {old!r}")
    name, read = ROOM_SETTINGS[old]
    warn_once(f"RoomState.settings.{old}", f"RoomState.settings[{name!r}]", "a plugin or template")
    return read(self.get(name))


def _importer() -> str:
    """Return the name of the module that is importing."""
    frame, between = inspect.currentframe(), ("filebot.", "importlib.")
    while frame is not None and str(frame.f_globals["__name__"]).startswith(between):
        frame = frame.f_back
    return "a plugin" if frame is None else str(frame.f_globals["__name__"])


for _class, _old, _new in ATTRIBUTES:
    _owner = Entry.__name__ if _class is NewEntry else _class.__name__
    setattr(_class, _old, alias(_owner, _old, _new))

RoomSettingValues.__getattr__ = _room_setting  # type: ignore[attr-defined]
