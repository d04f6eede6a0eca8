"""Web links in what people type: the signs around a pasted link are no part of it."""

import re
from typing import Final

_MARKDOWN: Final = re.compile(r"!?\[[^\]]*\]\(\s*<?(https?://[^\s>]+?)>?(?:\s+[^)]*)?\)", re.IGNORECASE)
_LINK: Final = re.compile(r"https?://[^\s<>\"“”「」『』《》【】，。；！？、（）]+", re.IGNORECASE)
_AROUND: Final = re.compile(r"[\s<>()\[\]{}\"'“”‘’«»「」『』《》【】（）`.,;:!?。，；：！？、*_~…]+")
_ENDING: Final = ".,;:!?'*_~…"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}


def cleaned(url: str) -> str:
    """Return a link without the signs that were pasted around it.

    A closing bracket belongs to the link if it has the opening one as well.
    """
    text = url.strip()
    if (found := _MARKDOWN.fullmatch(text)) is not None:
        return found[1]
    found = _LINK.search(text)
    if found is None or _AROUND.sub("", text[: found.start()]):
        return url.strip()
    return _without_ending(found[0])


def link_alone(text: str) -> str | None:
    """Return the link if a text is nothing else, apart from signs around it."""
    text = text.strip()
    if (found := _MARKDOWN.fullmatch(text)) is not None:
        return found[1]
    found = _LINK.search(text)
    if found is None or _AROUND.sub("", text[: found.start()] + text[found.end() :]):
        return None
    return _without_ending(found[0])


def link_within(text: str) -> str | None:
    """Return the first link in a text."""
    if (found := _MARKDOWN.search(text)) is not None:
        return found[1]
    found = _LINK.search(text)
    return None if found is None else _without_ending(found[0])


def _without_ending(link: str) -> str:
    while link:
        last = link[-1]
        unbalanced = last in _BRACKETS and link.count(last) > link.count(_BRACKETS[last])
        if last not in _ENDING and not unbalanced:
            break
        link = link[:-1]
    return link
