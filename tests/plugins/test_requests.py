"""Files that a person's client asks for by itself: who gets what."""

import hashlib

import pytest

from filebot.model import Offer
from filebot.testing.bot import FakeBot
from filebot.testing.senders import ALICE, BOB, ROOM
from filebot.testing.xmpp import FakeFileRequest

SECRET = b"for alice"
SHARED = b"for all"


@pytest.fixture
async def filled(bot: FakeBot) -> FakeBot:
    """Alice has two files, one of which is the room's as well."""
    await bot.drop("mine.txt", SECRET)
    await bot.drop("shared.txt", SHARED)
    await bot.say(f"send shared.txt to {ROOM}")
    return bot


def by_hash(content: bytes, name: str | None = None) -> Offer:
    return Offer(name=name, hashes={"sha-256": hashlib.sha256(content).digest()})


@pytest.mark.parametrize(
    ("person", "asked", "given"),
    [
        (ALICE, Offer(name="mine.txt"), SECRET),
        (ALICE, Offer(name="MINE.TXT"), SECRET),
        (ALICE, by_hash(SECRET), SECRET),
        (ALICE, by_hash(SECRET, "whatever.txt"), SECRET),
        (BOB, Offer(name="shared.txt"), SHARED),
        (BOB, by_hash(SHARED, "shared.txt"), SHARED),
    ],
)
async def test_who_may_read_a_file_is_given_it(
    filled: FakeBot, person: str, asked: Offer, given: bytes
) -> None:
    request = FakeFileRequest(person, asked)
    await filled.dispatcher.receive_request(request)
    assert (request.sent, request.refusals) == ([given], [])


@pytest.mark.conformance(51)
@pytest.mark.parametrize(
    ("person", "asked"),
    [
        (BOB, Offer(name="mine.txt")),
        (BOB, by_hash(SECRET)),
        (BOB, by_hash(SECRET, "shared.txt")),
        ("carol@example.org", Offer(name="shared.txt")),
        ("carol@example.org", by_hash(SHARED)),
        (ALICE, Offer(name="other.txt")),
        (ALICE, Offer()),
    ],
)
async def test_all_others_are_told_that_there_is_none(filled: FakeBot, person: str, asked: Offer) -> None:
    request = FakeFileRequest(person, asked)
    await filled.dispatcher.receive_request(request)
    assert not request.sent
    assert "I have no file" in request.refusals[0]


@pytest.mark.parametrize("person", ["eve@elsewhere.example", "mallory@example.org"])
async def test_strangers_are_refused(filled: FakeBot, person: str) -> None:
    request = FakeFileRequest(person, Offer(name="mine.txt"))
    await filled.dispatcher.receive_request(request)
    assert (request.sent, len(request.refusals)) == ([], 1)
