"""Messages that are met again after a kill, and whose files were removed meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from filebot.model import Address, ArchivePosition, IncomingMessage, Offer, Scope, Sender
from filebot.testing import FakeBot
from filebot.testing.bot import BOT
from filebot.testing.http import HostedFile
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room

BEN = in_room(BOB, "ben")
HAL = in_room(None, "hal", occupant_id="9000")
URL = "https://files.example.org/plan.txt"
PLAN = IncomingMessage(Sender(Address(ALICE), ALICE), "", offers=(Offer(urls=(URL,)),), mam_id=f"{BOT} 7")
POST = replace(PLAN, sender=BEN, addressed=False, mam_id=f"{ROOM} 7")


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    """A bot in a room whose archive is on; it has read all archives up to now."""
    async with FakeBot() as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.occupants[ROOM] |= HAL.identities
        bot.rooms.with_ids.add(ROOM)
        for archive in (BOT, ROOM):
            await bot.catalog.save_position(ArchivePosition(archive, "6", bot.now))
        await bot.say("room set archive on", in_room(ALICE))
        bot.web.hosted[URL] = HostedFile(b"the plan")
        yield bot


async def stored(bot: FakeBot) -> int:
    return (await bot.catalog.used_in_all())[0]


async def met_again(bot: FakeBot, message: IncomingMessage) -> list[str]:
    """Let the bot meet a message again; return its answers. No byte may be fetched for it."""
    asked = len(bot.web.asked)
    answers = await bot.receive(replace(message, delayed_since=bot.now, maybe_handled=True))
    assert len(bot.web.asked) == asked
    return answers


async def test_a_removed_file_stays_away_and_nothing_is_said(bot: FakeBot) -> None:
    await bot.receive(PLAN)
    await bot.say("rm plan.txt")
    assert await met_again(bot, PLAN) == []
    assert await stored(bot) == 0


async def test_a_removed_file_stays_away_in_whichever_message_it_came(bot: FakeBot) -> None:
    again = replace(PLAN, mam_id=f"{BOT} 8")
    await bot.receive(PLAN)
    assert "already" in (await bot.receive(again))[0]
    await bot.say("rm plan.txt")
    assert await met_again(bot, again) == []
    assert await stored(bot) == 0


async def test_what_comes_live_is_not_looked_for_among_what_was_met_before(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(bot.catalog, "find_by_source_message", never)
    monkeypatch.setattr(bot.catalog, "is_gone", never)
    assert (await bot.receive(PLAN))[0].startswith("Stored")


async def test_of_several_files_in_a_message_the_removed_one_stays_away(bot: FakeBot) -> None:
    other = "https://files.example.org/other.txt"
    bot.web.hosted[other] = HostedFile(b"other")
    both = replace(PLAN, offers=(*PLAN.offers, Offer(urls=(other,))))
    await bot.receive(both)
    await bot.say("rm plan.txt")
    [answer] = await met_again(bot, both)
    assert answer.startswith('Stored "other.txt"')
    assert await stored(bot) == 1


async def test_a_file_that_is_sent_anew_after_its_removal_is_stored(bot: FakeBot) -> None:
    await bot.receive(PLAN)
    await bot.say("rm plan.txt")
    [answer] = await bot.receive(replace(PLAN, mam_id=f"{BOT} 8"))
    assert answer.startswith("Stored")
    assert await stored(bot) == 1


async def test_a_copy_in_a_room_stays_without_the_original_that_was_removed(bot: FakeBot) -> None:
    await bot.receive(PLAN)
    await bot.say(f"send plan.txt to {ROOM}")
    await bot.say("rm plan.txt")
    assert await met_again(bot, PLAN) == []
    assert await bot.catalog.count(Scope(owner=ALICE)) == 0
    assert await bot.catalog.count(Scope(room=ROOM)) == 1


async def test_the_original_is_answered_for_when_a_copy_in_a_room_was_removed(bot: FakeBot) -> None:
    first = await bot.receive(PLAN)
    await bot.say(f"send plan.txt to {ROOM}")
    await bot.say("rm plan.txt", in_room(ALICE))
    assert await met_again(bot, PLAN) == first
    assert await stored(bot) == 1


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        (BEN, "rm plan.txt"),
        (in_room(ALICE), "rm plan.txt"),
        (BEN, "archive off for me"),
    ],
    ids=["owner", "admin", "opt-out"],
)
async def test_what_was_removed_from_a_room_stays_away(bot: FakeBot, sender: Sender, text: str) -> None:
    await bot.receive(POST)
    assert await stored(bot) == 1
    await bot.say(text, sender)
    assert await stored(bot) == 0
    await bot.say("archive on for me", BEN)
    assert await met_again(bot, POST) == []
    assert await stored(bot) == 0


async def test_what_was_too_old_for_a_room_stays_away(bot: FakeBot) -> None:
    await bot.say("room set retention 1", in_room(ALICE))
    await bot.receive(POST)
    assert await bot.pass_time(timedelta(days=2)) == []
    assert await stored(bot) == 0
    assert await met_again(bot, POST) == []
    assert await stored(bot) == 0


async def test_a_post_whose_file_was_claimed_is_not_kept_for_the_occupant_again(bot: FakeBot) -> None:
    await bot.receive(replace(POST, sender=HAL))
    occupant = through_room(None, "hal", occupant_id="9000")
    (answer,) = await bot.say("claim", occupant)
    code = next(word.strip("`.") for word in answer.split() if len(word.strip("`.")) == 9 and "-" in word)
    await bot.say(f"claim {code}", BOB)
    assert await met_again(bot, replace(POST, sender=HAL)) == []
    assert [each.owner for each in await bot.catalog.page(Scope(room=ROOM), limit=9)] == [BOB]


async def test_keep_takes_a_post_whose_file_was_removed(bot: FakeBot) -> None:
    await bot.receive(POST)
    await bot.say("rm plan.txt", BEN)
    [answer] = await bot.say("keep", BEN)
    assert answer.startswith("Stored")
    assert await bot.catalog.count(Scope(room=ROOM)) == 1
    await bot.say("rm plan.txt", BEN)
    assert await met_again(bot, POST) == []
    assert "Stored" in (await bot.say("keep", BEN))[0]


async def test_the_file_of_one_does_not_stay_away_for_what_another_removed(bot: FakeBot) -> None:
    await bot.receive(POST)
    await bot.say("rm plan.txt", BEN)
    await bot.receive(replace(POST, sender=in_room(ALICE)))
    assert [each.owner for each in await bot.catalog.page(Scope(room=ROOM), limit=9)] == [ALICE]


async def test_a_file_that_cannot_be_removed_is_not_taken_for_removed(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await bot.receive(PLAN)
    await bot.say("rm plan.txt", in_room(BOB))
    await bot.say("rm plan.txt", ADMIN)
    assert await met_again(bot, PLAN) == first
    assert await stored(bot) == 1
