"""Files of an occupant whom a room hides become those of their JID."""

import re
from dataclasses import replace

import pytest

from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.model import Scope, Sender
from filebot.testing import FakeBot
from filebot.testing.bot import BOT, LIMITS
from filebot.testing.senders import ALICE, BOB, ROOM, in_room, through_room
from plugins import claim
from plugins.claim.codes import MOST_CODES, MOST_ROOMS, VALID_S, Codes

KEY = f"{ROOM}/9000"
HAL = in_room(None, "hal", occupant_id="9000")
HAL_PRIVATE = through_room(None, "hal", occupant_id="9000")


async def posted(bot: FakeBot, name: str = "plan.txt", sender: Sender = HAL) -> None:
    bot.rooms.occupants[ROOM] |= sender.identities
    await bot.drop(name, name.encode(), sender)
    await bot.say("keep", sender)


async def code_for(bot: FakeBot, sender: Sender = HAL_PRIVATE) -> str:
    (answer,) = await bot.say("claim", sender)
    found = re.search(r"claim (\w{4}-\w{4})", answer)
    assert found is not None
    assert BOT in answer
    return found[1]


async def owners(bot: FakeBot) -> list[str]:
    return [entry.owner for entry in await bot.catalog.page(Scope(room=ROOM), limit=9)]


async def test_who_writes_the_code_in_a_private_chat_has_the_files(bot: FakeBot) -> None:
    await posted(bot)
    await posted(bot, "second.txt")
    code = await code_for(bot)
    (answer,) = await bot.say(f"claim {code.lower()}", ALICE)
    assert answer == f'2 files in "{ROOM}" are yours now, under your own address.'
    assert await owners(bot) == [ALICE, ALICE]
    await bot.say("rm plan.txt", in_room(ALICE))
    assert await owners(bot) == [ALICE]


async def test_a_code_is_good_once(bot: FakeBot) -> None:
    await posted(bot)
    code = await code_for(bot)
    await bot.say(f"claim {code}", ALICE)
    await posted(bot, "second.txt")
    (answer,) = await bot.say(f"claim {code}", BOB)
    assert answer.startswith("I do not know that code")
    assert await owners(bot) == [KEY, ALICE]


async def test_a_new_code_takes_the_place_of_the_old_one(bot: FakeBot) -> None:
    await posted(bot)
    old, new = await code_for(bot), await code_for(bot)
    await bot.say(f"claim {old}", ALICE)
    assert await owners(bot) == [KEY]
    await bot.say(f"claim {new}", ALICE)
    assert await owners(bot) == [ALICE]


@pytest.mark.parametrize("wrong", ["ABCD-EFGH", "x", "x" * 2000, "------"])
async def test_a_wrong_code_gives_nothing(bot: FakeBot, wrong: str) -> None:
    await posted(bot)
    await code_for(bot)
    (answer,) = await bot.say(f"claim {wrong}", ALICE)
    assert answer.startswith("I do not know that code")
    assert await owners(bot) == [KEY]


async def test_a_code_ends_with_its_time(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    await posted(bot)
    moments = [0.0]
    monkeypatch.setattr(claim, "_codes", Codes(lambda: moments[-1]))
    code = await code_for(bot)
    moments.append(VALID_S + 1)
    (answer,) = await bot.say(f"claim {code}", ALICE)
    assert answer.startswith("I do not know that code")


async def test_a_room_full_of_made_up_occupants_pushes_out_its_own_codes_alone(bot: FakeBot) -> None:
    await posted(bot)
    code, codes = await code_for(bot), claim._codes
    first = codes.begin("den@evil.example/0")
    for number in range(1, 2000):
        codes.begin(f"den@evil.example/{number}")
    assert len(codes._rooms["den@evil.example"]) == MOST_CODES
    (answer,) = await bot.say(f"claim {first}", BOB)
    assert answer.startswith("I do not know that code")
    await bot.say(f"claim {code}", ALICE)
    assert await owners(bot) == [ALICE]


def test_rooms_with_codes_are_bounded_and_the_one_that_asked_last_stays() -> None:
    codes = Codes()
    codes.begin("first@evil.example/0")
    codes.begin(KEY)
    for number in range(MOST_ROOMS - 1):
        codes.begin(f"{number}@evil.example/0")
        if number == MOST_ROOMS // 2:
            code = codes.begin(KEY)
    assert len(codes._rooms) == MOST_ROOMS
    assert "first@evil.example" not in codes._rooms
    assert codes.occupant(code) == KEY


async def test_who_may_own_nothing_does_not_learn_whether_a_code_is_good(bot: FakeBot) -> None:
    await posted(bot)
    code = await code_for(bot)
    stranger = in_room("carol@elsewhere.example", "carol")
    assert await bot.say(f"claim {code}", stranger) == await bot.say("claim ABCD-EFGH", stranger)


async def test_without_the_plugin_nothing_is_claimed(bot: FakeBot) -> None:
    await posted(bot)
    code = await code_for(bot)
    async with FakeBot(catalog=bot.catalog, disabled=["claim"]) as later:
        for sender, text in (HAL_PRIVATE, "claim"), (ALICE, f"claim {code}"):
            (answer,) = await later.say(text, sender)
            assert answer.startswith('I do not understand "claim".')
        assert "claim" not in (await later.say("help all"))[0]
        assert await owners(later) == [KEY]


async def test_the_code_is_never_said_before_everybody(bot: FakeBot) -> None:
    await posted(bot)
    (answer,) = await bot.say("claim", HAL)
    assert "as a private message" in answer
    assert not re.search(r"\w{4}-\w{4}", answer)


async def test_whom_the_bot_does_not_serve_claims_nothing(bot: FakeBot) -> None:
    await posted(bot)
    code = await code_for(bot)
    await bot.say(f"claim {code}", "carol@elsewhere.example")
    await bot.say(f"claim {code}", through_room(None, "eve", occupant_id="666"))
    await bot.say(f"claim {code}", in_room("carol@elsewhere.example", "carol"))
    assert await owners(bot) == [KEY]


async def test_where_the_room_tells_nobody_apart_there_is_nothing_to_claim(bot: FakeBot) -> None:
    none = ["This room does not tell me who is who, so no file here can be claimed."]
    assert await bot.say("claim", through_room(None, "hal")) == none
    assert await bot.say("claim", in_room(None, "hal")) == none
    already = [
        f'There is nothing to claim in "{ROOM}": you have no files there, or they are yours already.'
    ]
    assert await bot.say("claim", through_room(BOB, "hal")) == already


async def test_who_does_not_know_how_is_told(bot: FakeBot) -> None:
    (answer,) = await bot.say("claim")
    assert answer.startswith("Go to the room that has your files")


async def test_where_the_room_shows_who_it_is_no_code_is_needed(bot: FakeBot) -> None:
    await posted(bot)
    shown = replace(HAL_PRIVATE, jid=BOB)
    assert await bot.say("claim", shown) == [f'One file in "{ROOM}" is yours now, under your own address.']
    assert await owners(bot) == [BOB]
    (answer,) = await bot.say("claim", shown)
    assert answer.startswith("There is nothing to claim")


async def test_what_does_not_fit_into_the_quota_is_not_claimed(bot: FakeBot) -> None:
    async with FakeBot(limits=replace(LIMITS, quota_per_user_bytes=FILE_OVERHEAD_BYTES + 10)) as small:
        await posted(small)
        code = await code_for(small)
        await small.drop("own.txt", b"12345", ALICE)
        (answer,) = await small.say(f"claim {code}", ALICE)
        assert "you are using 4.1 kB of 4.1 kB" in answer
        assert await owners(small) == [KEY]
        await small.say("rm own.txt", ALICE)
        await small.say(f"claim {code}", ALICE)
        assert await owners(small) == [ALICE]


# --- sending into a room that hides who people are -----------------------------------------------------


async def test_who_has_shown_which_occupant_they_are_sends_files_into_the_room(bot: FakeBot) -> None:
    bot.rooms.occupants[ROOM] = frozenset({KEY})
    await bot.drop("beach.png", b"sand", ALICE)
    [refusal] = await bot.say(f"send beach.png to {ROOM}", ALICE)
    assert "send me this as a private message: claim" in refusal
    [done] = await bot.say(f"claim {await code_for(bot)}", ALICE)
    assert "you can send files there" in done
    await bot.say(f"send beach.png to {ROOM}", ALICE)
    assert len(bot.messenger.files(ROOM)) == 1
    bot.rooms.occupants[ROOM] = frozenset()  # rights are those of the moment
    assert "I cannot send anything" in (await bot.say(f"send beach.png to {ROOM}", ALICE))[0]
    bot.rooms.occupants[ROOM] = frozenset({KEY})
    await bot.drop("sea.png", b"water", BOB)  # who has shown nothing is nobody there
    assert "I cannot send anything" in (await bot.say(f"send sea.png to {ROOM}", BOB))[0]
