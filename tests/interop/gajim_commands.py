"""Gajim's window for ad-hoc commands, driven by our plugin."""

import asyncio
from pathlib import Path
from typing import Any, Final

from tests.interop.command_window import Button, Field, Page, Value
from tests.interop.desktop import REPLY_LIMIT_S
from tests.interop.gajim import Gajim

SETTLE_S: Final = 0.5
BUTTONS: Final = {
    "Next": Button.NEXT,
    "Complete": Button.COMPLETE,
    "Previous": Button.PREVIOUS,
    "Cancel": Button.CANCEL,
}
LABELS: Final = {button: label for label, button in BUTTONS.items()}


class GajimCommands:
    """The window: one is open at a time."""

    def __init__(self, gajim: Gajim) -> None:
        self._gajim = gajim

    async def commands_of(self, jid: str) -> list[str]:
        await self._gajim.ask("close")
        await self._gajim.ask("commands", jid=jid)
        return await self._listed()

    async def commands_of_occupant(self, room: str, nick: str) -> list[str]:
        """Open the window for an occupant of a room in which we are; return the names of the commands."""
        await self._gajim.ask("close")
        await self._gajim.ask("occupant_commands", jid=room, nick=nick)
        return await self._listed()

    async def run(self, name: str) -> Page:
        await self._gajim.ask("choose", name=name)
        return await self._pressed("Execute")

    async def fill(self, label: str, *values: str) -> None:
        await self._gajim.ask("fill", label=label, values=values)

    async def press(self, button: Button) -> Page:
        await self._until({"stage"}, LABELS[button])  # it checks a form a moment after the last change
        return await self._pressed(LABELS[button])

    async def screenshot(self, path: Path) -> Path:
        await asyncio.sleep(SETTLE_S)
        return self._gajim.desktop.screenshot(path)

    async def _pressed(self, label: str) -> Page:
        await self._gajim.ask("press", label=label)
        # The list is shown after a cancellation.
        shown = await self._until({"stage", "completed", "error", "commands"})
        fields = tuple(
            Field(each["label"], _value(each["value"]), tuple(each.get("options", ())))
            for each in shown["fields"]
        )
        buttons = {BUTTONS[name] for name, usable in shown["buttons"].items() if usable and name in BUTTONS}
        return Page(tuple(shown["texts"]), fields, frozenset(buttons))

    async def _listed(self) -> list[str]:
        shown = await self._until({"commands", "error"})
        if shown["page"] == "error":
            raise LookupError(shown["texts"])
        return list(shown["commands"])

    async def _until(self, pages: set[str], button: str | None = None) -> dict[str, Any]:
        """Wait for one of these pages, with a button that can be pressed."""

        async def shown() -> dict[str, Any] | None:
            window: dict[str, Any] | None = await self._gajim.ask("window")
            if window is None or window["page"] not in pages:
                return None
            return window if button is None or window["buttons"].get(button) else None

        return await self._gajim.until(shown, f"one of the pages {pages} of its commands", REPLY_LIMIT_S)


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value
