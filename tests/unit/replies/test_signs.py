"""No sign stands where an app would make it part of a link, or see a smiley in it: in no template."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.replies.test_style import TEMPLATES, catalogs, forms

BINDING = re.compile(r"(\w+)=([^,=%|]+)\|(\w+)")
"""Value of a message: its name, what it is of, and its first filter."""
ADDRESSES = re.compile(r"\b(?:jid|address|url|person|room|target)$")
FIXED = re.compile(r"(?:https?://\S*?|[\w.]+@[\w.]*?\w)(?=[^\w.@/-]|\.?(?:\s|$))")
"""Address or link that is written out."""
MAY_FOLLOW = re.compile(r'\s|$|["”]')


def values_of(template: Path, *filters: str) -> set[str]:
    """The names of a template's values that go through one of these filters."""
    found = BINDING.findall(template.read_text(encoding="utf-8"))
    return {name for name, _, filtered in found if filtered in filters}


def addresses_of(template: Path) -> set[str]:
    found = BINDING.findall(template.read_text(encoding="utf-8"))
    return {name for name, of, filtered in found if filtered == "line" and ADDRESSES.search(of.strip())}


def messages_of(template: Path) -> Iterator[str]:
    """The messages of a template, in English and in Chinese."""
    for catalog in catalogs():
        for message in catalog:
            if message.id and any(template.as_posix().endswith(str(file)) for file, _ in message.locations):
                theirs = message.string if catalog.locale else forms(message)
                yield from [theirs] if isinstance(theirs, str) else theirs or ()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_follows_an_address_and_no_bracket_a_size(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"\|size[^}]*\}\}\)", source)
    assert not re.search(r"\b(?:jid|address|url)\|line \}\}[^\s\"]", source)
    for text in messages_of(template):
        for name in values_of(template, "size"):
            assert f"%({name})s)" not in text, text
        for name in addresses_of(template):
            for after in text.split(f"%({name})s")[1:]:
                assert MAY_FOLLOW.match(after), text
        for found in FIXED.finditer(text):
            assert MAY_FOLLOW.match(text[found.end() :]), text


@pytest.mark.parametrize(
    "text", ["at a@example.org.", "see https://example.org/x, or", "at b@example.org）"]
)
def test_a_sign_after_an_address_is_found(text: str) -> None:
    [found] = FIXED.finditer(text)
    assert not MAY_FOLLOW.match(text[found.end() :])
