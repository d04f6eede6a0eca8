"""Windows for ad-hoc commands (XEP-0050), alike for all clients: what they show, and what a person does."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from filebot.localserver.server import Server

COMMANDS: Final = "http://jabber.org/protocol/commands"

Value: TypeAlias = str | bool | tuple[str, ...] | None
"""Text, tick of a box, or labels of the options that are chosen."""


class Button(Enum):
    """Action of a form (XEP-0050 section 3.4), whatever the client calls it."""

    NEXT = auto()
    COMPLETE = auto()
    PREVIOUS = auto()
    CANCEL = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """Field of a form as it is shown."""

    label: str
    value: Value
    options: tuple[str, ...] = ()
    """Labels of the options."""


@dataclass(frozen=True, slots=True)
class Page:
    """Form or result as it is shown."""

    texts: tuple[str, ...]
    """Texts that are no field's: title, instructions, notes, errors."""
    fields: tuple[Field, ...]
    buttons: frozenset[Button]
    """Buttons that can be pressed. A result has none."""

    def field(self, label: str) -> Field:
        """Return the one field with that label."""
        [field] = (each for each in self.fields if each.label == label)
        return field


class CommandWindow(Protocol):
    """Window of a client."""

    async def commands_of(self, jid: str) -> list[str]:
        """Open the window for an address, and return the names of the commands."""

    async def run(self, name: str) -> Page:
        """Run a command of the list."""

    async def fill(self, label: str, *values: str) -> None:
        """Fill a field in: by a text, by the labels of the options to choose, or by ``yes`` or ``no``."""

    async def press(self, button: Button) -> Page:
        """Press a button, and return what is shown then."""

    async def screenshot(self, path: Path) -> Path:
        """Write what is shown as PNG, and return the path."""


def exchanged(server: Server, since: int) -> Iterator[str]:
    """Yield the stanzas of ad-hoc commands that were sent after the server's log had this many bytes."""
    marks = (f"xmlns='{COMMANDS}'", f"node='{COMMANDS}'")
    for stanza in server.sent(since):
        if stanza.startswith("<iq ") and any(mark in stanza for mark in marks):
            yield stanza
