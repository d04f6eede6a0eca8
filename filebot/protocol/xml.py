"""Looking into XML that a peer wrote, without trusting its shape, its names or its numbers."""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

# XML 1.0 section 2.2. One such character would make the server end the whole stream.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sayable(text: str) -> str:
    """Return a text with a mark in place of each character that XML does not allow."""
    return _NOT_XML.sub("\ufffd", text)


def named(parent: Element, namespace: str, name: str) -> Iterator[Element]:
    """The direct children of this name. ``find`` would take a peer's namespace for a path."""
    wanted = f"{{{namespace}}}{name}"
    return (child for child in parent if child.tag == wanted)


def first(parent: Element | None, namespace: str, name: str) -> Element | None:
    """The first direct child of this name, if there is a parent at all."""
    return None if parent is None else next(named(parent, namespace, name), None)


def in_namespace(parent: Element, namespace: str) -> bool:
    """Return whether some child belongs to this namespace."""
    return any(namespace_of(child) == namespace for child in parent)


def namespace_of(element: Element) -> str:
    """The element's namespace; empty if it has none."""
    tag = str(element.tag)
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def bounded_int(text: str | None, most: int) -> int | None:
    """A number from 0 to ``most`` in plain digits, else None."""
    digits = (text or "").strip()
    # 19 digits hold 2**63; ``int`` itself raises beyond some thousands.
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        return None
    number = int(digits)
    return number if number <= most else None
