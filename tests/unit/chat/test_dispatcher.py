"""A link alone in a message is told from text, and an upload from any other link."""

import pytest

from filebot.chat.file_messages import is_upload
from filebot.model import Address, Sender
from filebot.reading.links import link_alone

ANNA = Sender(Address("anna@example.org"), "anna@example.org")
HIDDEN = Sender(Address("room@muc.example.org/anna"), None, "room@muc.example.org", "anna")
HOSTS = frozenset({"upload.bot.example"})


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://example.org/a.png", True),
        ("HTTP://example.org/a.png", True),
        ("see https://example.org/a.png", False),
        ("ftp://example.org/a.png", False),
        ("", False),
    ],
)
def test_a_link_stands_alone(text: str, link: bool) -> None:
    assert (link_alone(text) is not None) is link


@pytest.mark.parametrize(
    ("url", "upload"),
    [
        ("https://example.org/a.png", True),
        ("https://files.example.org./a.png", True),
        ("https://upload.bot.example/a.png", True),
        ("https://badexample.org/a.png", False),
        ("https://elsewhere.example/a.png", False),
        ("https://[broken/a.png", False),
    ],
)
def test_an_upload_is_at_a_server_of_the_sender_or_the_bot(url: str, upload: bool) -> None:
    assert is_upload(url, ANNA, HOSTS) is upload


def test_a_sender_whom_the_room_hides_has_no_server() -> None:
    assert not is_upload("https://example.org/a.png", HIDDEN, HOSTS)
    assert is_upload("https://upload.bot.example/a.png", HIDDEN, HOSTS)
