"""Data of plugins in the catalog."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class OwnerKind(StrEnum):
    """Kinds of things that a value can belong to."""

    PLUGIN = "plugin"
    ENTRY = "entry"
    PERSON = "person"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class DataOwner:
    """Thing that a value belongs to, and goes with."""

    kind: OwnerKind = OwnerKind.PLUGIN
    id: str = ""
    """Number of the entry, identity of the person, or address of the room; empty for the plugin itself."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """Place of a value."""

    plugin: str
    owner: DataOwner
    key: str


@dataclass(frozen=True, slots=True)
class NewValue:
    """Value that a plugin keeps of an entry which has no id yet."""

    plugin: str
    key: str
    value: str
    is_dispensable: bool = False
    """The entry is added without it if the plugin keeps as much as it may."""

    def replacing(self, _: str | None) -> str:
        """Return the value, whatever there was before."""
        return self.value


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Condition on entries, by what a plugin keeps of them: a value of its own, or rows of its tables."""

    plugin: str
    """Name of the plugin."""
    key: str = ""
    """Key of a value that the entry has, if it is by that."""
    value: str | None = None
    """The value as JSON; None for any."""
    statement: Any = None
    """A SELECT of SQLAlchemy of the ids of entries, if it is by tables."""
