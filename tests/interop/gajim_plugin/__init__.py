"""Runs inside of Gajim 1.7 and does what a test asks for by what a person's clicks start.

What Gajim has greyed out is not done either. It connects to the socket that $TEST_DRIVER names, and speaks
lines of JSON: it reads ``{"id": 1, "do": "say", ...}``, answers ``{"id": 1, "answer": ...}`` or ``{"id": 1,
"error": ...}``, and tells what happens as ``{"event": ...}``.

The alphabet matters: Gajim takes the first name in this module for the class of the plugin.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

from gajim.common import app, ged
from gajim.plugins import GajimPlugin
from gi.repository import GLib
from nbxmpp.protocol import JID

from . import chat_window, command_window


class Driver(GajimPlugin):  # type: ignore[misc]
    """The plugin."""

    def init(self) -> None:
        """Called by Gajim when the module is loaded."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._unread = b""
        ours = {
            "message-received": self._on_message,
            "message-sent": self._on_sent,
            "http-upload-error": self._on_upload_error,
        }
        files = ("completed", "error", "hash-error", "request-error", "request-received", "send-error")
        handlers = ours | {f"file-{each}": self._on_file for each in files}
        self.events_handlers = {name: (ged.GUI2, handler) for name, handler in handlers.items()}

    def activate(self) -> None:
        """Called by Gajim when the plugin is switched on."""
        self._socket.connect(os.environ["TEST_DRIVER"])
        GLib.io_add_watch(self._socket.fileno(), GLib.IO_IN, self._on_input)

    def _say(self, **line: object) -> None:
        self._socket.sendall(json.dumps(line, default=str).encode() + b"\n")

    def _on_input(self, _source: int, _condition: int) -> bool:
        came = self._socket.recv(65536)
        *lines, self._unread = (self._unread + came).split(b"\n")
        for line in lines:
            request = json.loads(line)
            number = request.pop("id")
            try:
                self._say(id=number, answer=getattr(self, f"do_{request.pop('do')}")(**request))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the test's to see
                self._say(id=number, error=repr(error))
        return bool(came)

    def _on_message(self, event: Any) -> None:
        url = event.additional_data.get_value("gajim", "oob_url") if event.additional_data else None
        self._say(event="message", jid=event.jid, text=event.msgtxt, url=url)

    def _on_sent(self, event: Any) -> None:
        self._say(event="message-sent", jid=event.jid, text=event.message)

    def _on_upload_error(self, event: Any) -> None:
        self._say(event="http-upload-error", jid=event.jid, text=event.error_msg)

    def _on_file(self, event: Any) -> None:
        about = event.file_props
        text = getattr(event, "error_msg", "")
        self._say(event=event.name, jid=event.jid, name=about.name, path=about.file_name, text=text)

    @property
    def _account(self) -> str:
        return str(app.settings.get_active_accounts()[0])

    def _open(self, jid: str) -> None:
        app.window.add_chat(self._account, JID.from_string(jid), "contact", select=True)
        app.window.select_chat(self._account, JID.from_string(jid))

    def do_connected(self) -> bool:
        """Whether Gajim is online and knows what the server offers."""
        return bool(app.account_is_connected(self._account))

    def do_devices(self, jid: str) -> list[str]:
        """The full JIDs of a contact's devices that are online."""
        contact = app.get_client(self._account).get_module("Contacts").get_contact(jid)
        return [str(device.jid) for device in contact.iter_resources()]

    def do_offered(self, jid: str) -> dict[str, bool]:
        """The ways to send a file to this contact that can be clicked on."""
        self._open(jid)
        enabled = app.window.get_action_enabled
        return {"http": enabled("send-file-httpupload"), "jingle": enabled("send-file-jingle")}

    def do_say(self, jid: str, text: str) -> None:
        """Write a message and press Return."""
        self._open(jid)
        box = app.window.get_chat_stack()._message_action_box.msg_textview
        box.get_buffer().set_text(text)
        app.window.activate_action("send-message", None)

    def do_send(self, jid: str, paths: list[str], *, directly: bool) -> bool:
        """Upload files, or send them to the first device that can take them. False: it is not offered."""
        name = "jingle" if directly else "httpupload"
        self._open(jid)
        if not app.window.get_action_enabled(f"send-file-{name}"):
            return False
        uris = GLib.Variant("as", [Path(path).as_uri() for path in paths])
        app.window.activate_action(f"send-file-{name}", uris)
        page = app.window.get_chat_stack()._chat_function_page
        page._on_confirm_clicked(None)
        if directly:
            box = page._widget._resource_selector._listbox
            rows = [row for row in box.get_children() if row.get_sensitive()]
            if not rows:
                return False
            box.select_row(rows[0])
            page._on_confirm_clicked(None)
        return True

    def do_download(self, url: str) -> tuple[str, str] | None:
        """The path and the name of what a link led to; a click on its button if it is not there yet."""
        for preview in app.preview_manager._previews.values():
            if preview.uri != url:
                continue
            if preview.orig_exists:
                # It is there before it is whole.
                whole = 0 < preview.file_size == preview.orig_path.stat().st_size
                return (str(preview.orig_path), str(preview.filename)) if whole else None
            if not preview.download_in_progress:
                app.window.activate_action("preview-download", GLib.Variant("s", preview.id))
        return None

    def do_shown(self, jid: str) -> list[tuple[str, str]]:
        """The messages of a contact in its chat: the kind, and the words or the name of the file."""
        if not chat_window.is_open(jid):  # it would be built anew, without the pictures that it loads
            self._open(jid)
        return chat_window.shown()

    def do_contact(self, jid: str) -> tuple[str, bool, str | None]:
        """The name, whether there is an avatar, and the chat state of a contact."""
        contact = app.get_client(self._account).get_module("Contacts").get_contact(jid)
        state = contact.chatstate
        return contact.name, bool(contact.avatar_sha), state and state.value

    def do_join(self, jid: str, nick: str) -> bool:
        """Enter a room and show it; whether Gajim is in."""
        room = JID.from_string(jid)
        app.get_client(self._account).get_module("MUC").join(room, nick)
        app.window.add_group_chat(self._account, room, select=True)
        return bool(app.window.get_action_enabled("muc-execute-command"))

    def do_commands(self, jid: str) -> None:
        """Open the window with the commands of an address, as menus of contacts do."""
        app.app.activate_action(f"{self._account}-execute-command", GLib.Variant("s", jid))

    def do_occupant_commands(self, jid: str, nick: str) -> None:
        """Open the window with the commands of an occupant of a room."""
        app.window.select_chat(self._account, JID.from_string(jid))
        app.window.activate_action("muc-execute-command", GLib.Variant("s", nick))

    def do_window(self) -> dict[str, Any] | None:
        """Return the state of the window of commands."""
        return command_window.shown()

    def do_choose(self, name: str) -> None:
        """Select a command in the list."""
        command_window.choose(name)

    def do_fill(self, label: str, values: list[str]) -> None:
        """Fill a field of a form in."""
        command_window.fill(label, values)

    def do_press(self, label: str) -> None:
        """Press a button of the window of commands."""
        command_window.press(label)

    def do_close(self) -> None:
        """Close the window of commands."""
        command_window.close()
