"""Gajim's chat: what it shows of the messages of a contact."""

from gajim.common import app
from gajim.gtk.preview import PreviewWidget


def is_open(jid: str) -> bool:
    """Whether the chat with somebody is the one that is shown."""
    control = app.window.get_chat_stack().get_chat_control()
    return control.has_active_chat() and str(control.contact.jid) == jid


def shown() -> list[tuple[str, str]]:
    """The kind of each message of the contact, and its words or the name of its file."""
    view = app.window.get_chat_stack().get_chat_control()._scrolled_view
    rows = (row for row in view.iter_rows() if row.type == "chat" and row.kind == "incoming")
    return [_shown(row._message_widget) for row in rows]


def _shown(widget: object) -> tuple[str, str]:
    if not isinstance(widget, PreviewWidget):
        return "text", widget.get_text()  # type: ignore[attr-defined]
    kind = "picture" if widget._ui.image_button.get_visible() else "card"
    return kind, widget._ui.file_name.get_text()
