"""Files to addresses that do not take them: whoever sent them is told, and with the true cause."""

from datetime import timedelta

import pytest

from filebot.testing import ALICE, BOB, ROOM, FakeBot
from filebot.testing.messenger import FileShown

NOBODY = "nobody@example.org"


async def sent_to(bot: FakeBot, target: str) -> str:
    """Send a file, and return the id of its message."""
    await bot.drop("plan.txt", b"plan")
    said = await bot.say(f"send plan.txt to {target}")
    assert f'Sent "plan.txt" to "{target}".' in said
    places = [n for n, each in enumerate(bot.messenger.sent) if isinstance(each, FileShown)]
    return str(places[-1])


@pytest.mark.parametrize(
    ("condition", "cause"),
    [
        ("item-not-found", "there is no such address."),
        ("gone", "there is no such address."),
        ("service-unavailable", "there is no such address, or it takes no messages from me."),
        ("remote-server-not-found", "there is no chat server called example.org that I can reach."),
        ("remote-server-timeout", "the server there does not answer. Try again later."),
        ("resource-constraint", "the mailbox there is full. Try again later."),
        ("recipient-unavailable", "nobody is online there. Try again later."),
        ("forbidden", "messages from me are not accepted there."),
        ("not-acceptable", "messages from me are not accepted there."),
        ("undefined-condition", "the server there refused it."),
    ],
)
async def test_a_file_that_came_back_is_told_with_its_cause(
    bot: FakeBot, condition: str, cause: str
) -> None:
    message = await sent_to(bot, NOBODY)
    assert await bot.bounce(message, NOBODY, condition) == [
        f'I could not send "plan.txt" to {NOBODY}: {cause}'
    ]
    assert bot.messenger.sent[-1].to.jid == ALICE
    assert await bot.bounce(message, NOBODY, condition) == []


async def test_a_bounce_is_matched_after_a_restart_and_for_a_day(bot: FakeBot) -> None:
    message = await sent_to(bot, NOBODY)
    async with FakeBot(catalog=bot.catalog) as again:
        again.now = bot.now + timedelta(hours=23)
        [said] = await again.bounce(message, NOBODY, "item-not-found")
        assert said.startswith(f'I could not send "plan.txt" to {NOBODY}')


async def test_a_forged_bounce_does_not_hide_the_true_one(bot: FakeBot) -> None:
    message = await sent_to(bot, NOBODY)
    assert await bot.bounce(message, "mallory@elsewhere.example", "item-not-found") == []
    [said] = await bot.bounce(message, NOBODY, "item-not-found")
    assert said.startswith(f'I could not send "plan.txt" to {NOBODY}')


async def test_a_bounce_after_more_than_a_day_is_not_matched(bot: FakeBot) -> None:
    message = await sent_to(bot, NOBODY)
    bot.now += timedelta(hours=25)
    assert await bot.bounce(message, NOBODY, "item-not-found") == []


async def test_a_bounce_without_a_known_id_means_the_last_file_to_its_address(bot: FakeBot) -> None:
    await sent_to(bot, NOBODY)
    assert await bot.bounce("theirs", BOB, "item-not-found") == []
    [said] = await bot.bounce("theirs", NOBODY, "item-not-found")
    assert "there is no such address" in said


async def test_nobody_else_can_say_that_a_file_did_not_arrive(bot: FakeBot) -> None:
    message = await sent_to(bot, NOBODY)
    assert await bot.bounce(message, "mallory@example.net", "item-not-found") == []


async def test_a_bounce_of_other_words_is_no_bounce_of_a_file(bot: FakeBot) -> None:
    await sent_to(bot, NOBODY)
    other = next(n for n, each in enumerate(bot.messenger.sent) if not isinstance(each, FileShown))
    assert await bot.bounce(str(other), NOBODY, "item-not-found") == []


async def test_a_room_that_did_not_take_a_file_is_told(bot: FakeBot) -> None:
    message = await sent_to(bot, ROOM)
    [said] = await bot.bounce(message, ROOM, "forbidden")
    assert said.startswith(f'I could not send "plan.txt" to {ROOM}: the room did not take it.')


async def test_a_removed_file_that_comes_back_is_no_news(bot: FakeBot) -> None:
    message = await sent_to(bot, NOBODY)
    await bot.say("rm plan.txt")
    assert await bot.bounce(message, NOBODY, "item-not-found") == []
