"""Deviations of clients from the XEPs of forms, and how the bot deals with each: one tagged line for each.

All but one are dealt with for every client alike, since nothing is lost by it.
"""

from typing import Final

# COMPAT(Gajim, 2.5): takes instructions and fixed text for markup, and shows nothing if they are none.
# COMPAT(Psi, 1.5): takes fixed text for HTML.
_SHOWN_AS_IT_IS: Final = str.maketrans({"&": "＆", "<": "‹"})

# COMPAT(Converse.js, 14): fields with these names are shown in ways in which nothing can be filled in.
_RENAMED: Final = {name: f"{name}-" for name in ("url", "uri", "username", "ocr")}

# COMPAT(Gajim, 1.7): fails at a table, and shows nothing of the result. Later versions have the same node.
_WITHOUT_TABLES: Final = frozenset({"https://gajim.org"})


def shown_as_it_is(text: str) -> str:
    """Return a text, with lookalikes of the characters that clients take for markup."""
    return text.translate(_SHOWN_AS_IT_IS)


def sent_name(name: str) -> str:
    """Return the name that a field has in the XML."""
    return _RENAMED.get(name, name)


def shows_tables(node: str) -> bool:
    """Return whether a client shows results in rows, by the node of its caps (XEP-0115)."""
    return node.rstrip("/") not in _WITHOUT_TABLES
