"""Text of a message without the fallback for its extensions (XEP-0428, XEP-0426)."""

from typing import Final
from xml.etree.ElementTree import Element

from filebot.protocol.file_sharing.namespaces import FALLBACK, OOB, REFERENCE, REPLY, SFS, SIMS
from filebot.protocol.xml import bounded_int, first, named, namespace_of

FILES: Final = frozenset({OOB, SFS, SIMS, REFERENCE})
"""Extensions whose fallback text is not needed once the files themselves were read."""
QUOTES: Final = frozenset({REPLY})
"""The quotation before a reply (XEP-0461 section 3.1): somebody else's words."""


def body_of(message: Element) -> str:
    """The body as it stands; empty if there is none."""
    body = first(message, namespace_of(message), "body")
    return "" if body is None else body.text or ""


def without_fallback(message: Element, fallback_for: frozenset[str]) -> str:
    """The body without the ranges marked as fallback for one of these namespaces, stripped."""
    body = body_of(message)
    kept, position = [], 0
    for start, end in sorted(_ranges(message, fallback_for, len(body))):
        kept.append(body[position:start])
        position = max(position, end)
    kept.append(body[position:])
    return "".join(kept).strip()


def without_urls(text: str, urls: frozenset[str]) -> str:
    """``text`` without the lines that are nothing but one of these URLs."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in urls).strip()


def _ranges(message: Element, fallback_for: frozenset[str], length: int) -> list[tuple[int, int]]:
    """From a codepoint to the one after the last; XEP-0426 counts as Python does."""
    found = []
    for fallback in named(message, FALLBACK, "fallback"):
        if fallback.get("for") not in fallback_for:
            continue
        if len(fallback) == 0:  # no children: the whole of every body (XEP-0428 section 2.2)
            found.append((0, length))
        for part in named(fallback, FALLBACK, "body"):
            start = bounded_int(part.get("start", "0"), length)
            # Some clients end one after the last character of a body that the server stripped.
            end = bounded_int(part.get("end", str(length)), 2**31)
            if start is not None and end is not None and start < end:
                found.append((start, min(end, length)))
    return found
