"""Data of plugins in the catalog."""

from dataclasses import dataclass
from enum import StrEnum


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
