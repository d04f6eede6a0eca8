"""Converse.js 14 in a headless browser, with its dialog for ad-hoc commands."""

import base64
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from filebot.localserver.server import Server
from tests.interop.browser import Browser
from tests.interop.command_window import Button, Field, Page, Value
from tests.interop.network import Network
from tests.interop.shown import Contact, Kind, Shown

LIBRARY: Final = Path(sys.prefix) / "share/converse.js"
"""Converse.js as its npm package has it; ``scripts/bootstrap test`` brings it."""
ACTIONS: Final = {
    "next": Button.NEXT,
    "complete": Button.COMPLETE,
    "prev": Button.PREVIOUS,
    "cancel": Button.CANCEL,
}
NAMES: Final = {button: action for action, button in ACTIONS.items()}
PAGE: Final = Path(__file__).with_name("converse.html")


class Converse:
    """Converse.js, logged in: ``async with Converse(network, server, "alice", folder) as alice``."""

    name = "converse"

    def __init__(self, network: Network | None, server: Server, user: str, folder: Path) -> None:
        self.jid = server.jid(user)
        """Bare JID."""
        self._browser = Browser(network, folder / "browser")
        self._server = server
        self._user = user
        self._folder = folder
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if not LIBRARY.is_dir():
            raise FileNotFoundError(f"{LIBRARY}: run scripts/bootstrap test")
        page = self._folder / "converse.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        text = PAGE.read_text().replace("LIBRARY", LIBRARY.as_uri())
        page.write_text(text.replace("SETTINGS", json.dumps(self._settings())))
        await self._stack.enter_async_context(self._browser)
        try:
            await self._browser.open(page)
            await self._until_online()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ask_for(self, jid: str, text: str) -> None:
        """Write a message into the chat and press Return."""
        await self._browser.evaluate(
            """
            await api.chats.open(jid);
            const box = await find(".chat-textarea");
            box.value = text;
            box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 13, bubbles: true }));
            """,
            jid=jid,
            text=text,
        )

    async def give(self, jid: str, paths: Sequence[Path]) -> None:
        """Drop files on the chat, all at once."""
        files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
        await self._browser.evaluate(
            """
            await api.chats.open(jid);
            const dropped = new DataTransfer();
            for (const [name, text] of files) {
                const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
                dropped.items.add(new File([bytes], name, { type: types[name.split(".").pop()] }));
            }
            const input = await find("input.fileupload");
            input.files = dropped.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
            """,
            jid=jid,
            files=files,
            types={"png": "image/png", "bin": "application/octet-stream"},
        )

    async def shown(self, jid: str) -> list[Shown]:
        """Open the chat with somebody, and return what it shows of their messages."""
        found = await self._browser.evaluate(
            """
            await api.chats.open(jid);
            const bodies = [...document.querySelectorAll("converse-chat-message-body")];
            return bodies.filter((each) => each.model.get("sender") === "them").map((each) => ({
                text: each.innerText.trim(),
                links: [...each.querySelectorAll("a")].map((link) => link.href),
                pictures: [...each.querySelectorAll("img")].map((image) => image.src),
            }));
            """,
            jid=jid,
        )
        return [_shown(each["text"], each["links"], each["pictures"]) for each in found]

    async def contact(self, jid: str) -> Contact:
        """Return what the roster and the chat show of a contact."""
        name, avatar, state = await self._browser.evaluate(
            """
            const chat = await api.chats.open(jid);
            const contact = await api.contacts.get(jid);
            const row = await until(() => [...document.querySelectorAll("converse-roster-contact")]
                .find((each) => each.model.get("jid") === jid), "contact");
            await until(() => contact.vcard?.get("image_hash"), "avatar");
            return [row.innerText.trim(), Boolean(contact.vcard.get("image_hash")),
                chat.notifications.get("chat_state") || null];
            """,
            jid=jid,
        )
        return Contact(name, avatar, state)

    async def picture(self, path: Path) -> Path:
        """Write what the whole window shows as PNG, and return the path."""
        return await self._browser.screenshot(path)

    async def screenshot(self, path: Path) -> Path:
        """Write what the window shows as PNG, with the form or else the result in view; return the path."""
        await self._browser.evaluate("(dialog().querySelector(FORM) || dialog()).scrollIntoView()")
        return await self._browser.screenshot(path)

    async def commands_of(self, jid: str) -> list[str]:
        names: list[str] = await self._browser.evaluate(
            """
            if (!dialog()) {
                (await find(".show-client-info")).click();
                (await find("#commands-tab")).click();
                await until(dialog, "dialog");
            }
            // What it once said about a command stays there, so each command gets a dialog of its own.
            dialog().replaceWith(document.createElement("converse-adhoc-commands"));
            const address = await find("converse-adhoc-commands input[name=jid]");
            address.value = jid;
            address.dispatchEvent(new Event("input", { bubbles: true }));
            const before = dialog().commands;
            dialog().querySelector("input[type=submit]").click();
            await until(() => dialog().commands !== before, "list of commands");
            await dialog().updateComplete;
            return [...dialog().querySelectorAll("[data-command-node]")].map((each) => each.innerText);
            """,
            jid=jid,
        )
        return names

    async def run(self, name: str) -> Page:
        return _page(
            await self._browser.evaluate(
                """
                [...dialog().querySelectorAll("[data-command-node]")]
                    .find((each) => each.innerText === name).click();
                await until(() => dialog().querySelector(FORM), "form");
                return shown();
                """,
                name=name,
            )
        )

    async def fill(self, label: str, *values: str) -> None:
        await self._browser.evaluate(
            """
            const field = fields().find((each) => labelOf(each) === label);
            if (field.tagName === "SELECT") {
                [...field.options].forEach((each) => { each.selected = values.includes(each.label); });
            } else if (field.type === "checkbox") field.checked = values[0] === "yes";
            else field.value = values[0];
            field.dispatchEvent(new Event("input", { bubbles: true }));
            field.dispatchEvent(new Event("change", { bubbles: true }));
            """,
            label=label,
            values=values,
        )

    async def press(self, button: Button) -> Page:
        return _page(
            await self._browser.evaluate(
                """
                const command = dialog().commands.find((each) => each.node === dialog().showform);
                const selector = action === "cancel" ? ".button-cancel" : `[data-action=${action}]`;
                dialog().querySelector(`${FORM} ${selector}`).click();
                // It says so in an alert when the answer is there; of a cancellation it says nothing.
                await until(() => action === "cancel" || dialog().alert || command.alert, "answer");
                await dialog().updateComplete;
                return shown();
                """,
                action=NAMES[button],
            )
        )

    def _settings(self) -> dict[str, object]:
        return {
            "auto_login": True,
            "authentication": "login",
            "jid": f"{self.jid}/{self.name}",
            "password": self._server.password(self._user),
            "websocket_url": self._server.websocket_url,
            "discover_connection_methods": False,
            "assets_path": f"{LIBRARY.as_uri()}/",
            "view_mode": "fullscreen",
            "i18n": "en",
            "play_sounds": False,
            "show_client_info": True,
            "whitelisted_plugins": ["driver"],
        }

    async def _until_online(self) -> None:
        try:
            await self._browser.evaluate('await until(() => window.online, "login")')
        except Exception as error:
            error.add_note(self._browser.report())
            raise


def _page(shown: Any) -> Page:
    fields = (
        Field(each["label"], _value(each["value"]), tuple(each["options"])) for each in shown["fields"]
    )
    return Page(tuple(shown["texts"]), tuple(fields), frozenset(ACTIONS[name] for name in shown["buttons"]))


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value


def _shown(text: str, links: list[str], pictures: list[str]) -> Shown:
    """Name the form of a message; words, link and picture together are text."""
    if [text, len(pictures)] == ["", 1] and set(links) <= set(pictures):
        return Shown(Kind.PICTURE, _name(pictures[0]))
    if [text] == links and not pictures:
        return Shown(Kind.LINK, _name(text))
    return Shown(Kind.TEXT, text)


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])
