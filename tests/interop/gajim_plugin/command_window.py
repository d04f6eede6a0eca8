"""Gajim's window for ad-hoc commands: what it shows, and what a person can do in it."""

from typing import Any

from gajim.gtk.util import get_app_window
from gi.repository import Gtk


def shown() -> dict[str, Any] | None:
    """The window's page; None if there is no window."""
    window = get_app_window("AdHocCommands")
    if window is None:
        return None
    page = window.get_page(window.get_current_page())
    rows = _rows(page)
    buttons = (button for button, _ in window._buttons.values() if button.get_visible())
    return {
        "page": window.get_current_page(),
        "commands": [row[0] for row in window.get_page("commands")._store],
        "texts": _texts(page, {part for row in rows for part in (row._label, row._widget)}),
        "fields": [_field(row) for row in rows],
        "buttons": {button.get_label(): button.get_sensitive() for button in buttons},
    }


def choose(name: str) -> None:
    """Select a command in the list."""
    page = _window().get_page("commands")
    [path] = [row.path for row in page._store if row[0] == name]
    page._treeview.get_selection().select_path(path)


def fill(label: str, values: list[str]) -> None:
    """Fill a field in."""
    window = _window()
    rows = _rows(window.get_page(window.get_current_page()))
    [row] = [row for row in rows if row._label.get_text() == label]
    widget = row._widget
    if isinstance(widget, Gtk.Entry):
        widget.set_text(values[0])
    elif isinstance(widget, Gtk.ComboBoxText):
        widget.set_active([option[0] for option in widget.get_model()].index(values[0]))
    elif isinstance(widget, Gtk.CheckButton):
        widget.set_active(values[0] == "yes")
    else:
        _tick(row._treeview, values)


def press(label: str) -> None:
    """Press a button, unless it is greyed out."""
    buttons = (button for button, _ in _window()._buttons.values())
    [button] = [b for b in buttons if b.get_label() == label and b.get_visible() and b.get_sensitive()]
    button.clicked()


def close() -> None:
    """Close the window, if there is one."""
    window = get_app_window("AdHocCommands")
    if window is not None:
        window.destroy()


def _window() -> Any:
    window = get_app_window("AdHocCommands")
    if window is None:
        raise LookupError("there is no window of commands")
    return window


def _rows(page: Any) -> list[Any]:
    """The fields of the page's form that have a widget: not those of type ``fixed``."""
    form = getattr(page, "_dataform_widget", None)
    return [] if form is None else [row for row in form._form_grid.rows if getattr(row, "_widget", None)]


def _field(row: Any) -> dict[str, Any]:
    widget = row._widget
    field: dict[str, Any] = {"label": row._label.get_text()}
    if isinstance(widget, Gtk.Entry | Gtk.Label):
        return field | {"value": widget.get_text()}
    if isinstance(widget, Gtk.CheckButton):
        return field | {"value": widget.get_active()}
    if isinstance(widget, Gtk.ComboBoxText):
        options = [option[0] for option in widget.get_model()]
        return field | {"value": widget.get_active_text(), "options": options}
    if hasattr(row, "_treeview"):
        store = row._treeview.get_model()
        chosen = [option[0] for option in store if option[3]]
        return field | {"value": chosen, "options": [option[0] for option in store]}
    text = row._textview
    return field | {
        "value": text.get_text() if isinstance(text, Gtk.Label) else text.get_buffer().props.text
    }


def _tick(tree: Any, labels: list[str]) -> None:
    """Click on the boxes of a list until just these options have a tick."""
    box = tree.get_columns()[1].get_cells()[0]
    for option in tree.get_model():
        if option[3] != (option[0] in labels):
            box.emit("toggled", str(option.path))


def _texts(widget: Any, omitted: set[Any]) -> list[str]:
    """The texts of the visible labels in a widget, without those in the omitted ones and in buttons."""
    if not widget.get_visible() or widget in omitted or isinstance(widget, Gtk.Button):
        return []
    if isinstance(widget, Gtk.Label):
        return [widget.get_text()]
    if not isinstance(widget, Gtk.Container):
        return []
    # A grid has its children in reverse order.
    children = reversed(widget.get_children()) if isinstance(widget, Gtk.Grid) else widget.get_children()
    return [text for child in children for text in _texts(child, omitted)]
