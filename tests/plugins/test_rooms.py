"""Commands by which the bot's admins bring it into rooms and out of them."""

from collections.abc import Callable

import pytest

from filebot.model import RememberedRoom, Sender
from filebot.testing import FakeBot
from filebot.testing.senders import ADMIN, ROOM, in_room, through_room

DEN = "den@conference.example.org"


async def test_an_admin_brings_the_bot_into_a_room_and_out_again(bot: FakeBot) -> None:
    assert await bot.say(f"join xmpp:{DEN.upper()}?join", ADMIN) == [
        f'I am in "{DEN}" now, and I will stay there. To begin, type "!help" or "filebot: help" there.'
    ]
    assert DEN in bot.rooms.joined()
    assert await bot.catalog.rooms() == [RememberedRoom(DEN)]
    assert await bot.say(f"leave {DEN}", ADMIN) == [f'I left "{DEN}". I still keep its files.']
    assert DEN not in bot.rooms.joined()
    assert await bot.catalog.rooms() == []


async def test_a_password_is_given_and_remembered(bot: FakeBot) -> None:
    await bot.say(f"join {DEN} with open sesame", ADMIN)
    assert bot.rooms.passwords[DEN] == "open sesame"
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "open sesame")]
    await bot.say(f"join {DEN}", ADMIN)
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "open sesame")]


@pytest.mark.parametrize("speak", [in_room, through_room])
async def test_nobody_may_because_of_their_nick(bot: FakeBot, speak: Callable[..., Sender]) -> None:
    (answer,) = await bot.say(f"join {DEN}", speak(None, ADMIN))
    assert answer.startswith("This room hides your address")
    (answer,) = await bot.say(f"leave {ROOM}", speak(None, ADMIN))
    assert "the person who brought me there" in answer
    assert bot.rooms.joined() == {ROOM}


@pytest.mark.parametrize(
    "reason",
    ["banned", "members", "password", "limit", "own limit", "none", "service", "silent", "other"],
)
async def test_a_room_that_lets_nobody_in_is_not_remembered(bot: FakeBot, reason: str) -> None:
    bot.rooms.closed[DEN] = reason
    (answer,) = await bot.say(f"join {DEN}", ADMIN)
    assert "stay" not in answer
    assert await bot.catalog.rooms() == []


async def test_a_room_of_the_config_is_not_left(bot: FakeBot) -> None:
    bot.rooms.config = frozenset({ROOM})
    (answer,) = await bot.say(f"leave {ROOM}", ADMIN)
    assert "configuration" in answer
    assert bot.rooms.joined() == {ROOM}


async def test_what_is_no_room_is_said_so(bot: FakeBot) -> None:
    for command in ("join den", f"leave {DEN}"):
        (answer,) = await bot.say(command, ADMIN)
        assert answer.startswith("I find no room")
    assert answer.endswith(f"To bring me there, type: join {DEN}")
