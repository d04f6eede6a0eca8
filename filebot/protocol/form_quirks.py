"""Deviations of clients from the XEPs of forms, and how the bot deals with each: one tagged line for each.

A client is known by the node of its caps (XEP-0115), which is empty if nothing is known. What is done for
every client, since nothing is lost by it, stands where it is done.
"""

from html import escape
from typing import Final

_GAJIM: Final = "https://gajim.org"
_LOOKALIKES: Final = str.maketrans({"&": "＆", "<": "‹"})

# COMPAT(Converse.js, 14): fields with these names are shown in ways in which nothing can be filled in.
_RENAMED: Final = {name: f"{name}-" for name in ("url", "uri", "username", "ocr")}


def shown_as_it_is(text: str, node: str) -> str:
    """Return the instructions, or a fixed text, with which a client shows this text."""
    # COMPAT(Gajim, 2.5): takes it for markup, and shows nothing if it is none.
    if _is_gajim(node):
        return escape(text, quote=False)
    return text if node else text.translate(_LOOKALIKES)


def sent_name(name: str) -> str:
    """Return the name that a field has in the XML."""
    return _RENAMED.get(name, name)


def shows_tables(node: str) -> bool:
    """Return whether a client shows results in rows, by the node of its caps (XEP-0115)."""
    # COMPAT(Gajim, 1.7): fails at a table, and shows nothing of the result. Later versions do not, but have
    # the same node.
    return bool(node) and not _is_gajim(node)


def _is_gajim(node: str) -> bool:
    return node.rstrip("/") == _GAJIM
