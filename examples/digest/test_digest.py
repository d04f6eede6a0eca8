"""A room hears in the morning of new files."""

from datetime import timedelta

import digest

from filebot.testing import BOB, ROOM, FakeBot, in_room

DAY = timedelta(days=1)


async def switched_on(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await bot.say("room set digest on", in_room(BOB, "bob"))
    assert await bot.pass_time(DAY) == []


async def test_a_room_hears_once_a_day_of_its_new_files() -> None:
    async with FakeBot(digest.plugin) as bot:
        await switched_on(bot)
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        await bot.drop("b.txt", b"b", in_room())
        await bot.say("keep", in_room())
        assert await bot.pass_time(DAY) == [
            "Good morning. 2 new files since yesterday; to see more, type: !ls"
        ]
        assert await bot.pass_time(DAY) == []


async def test_one_file_is_told_of_as_one() -> None:
    async with FakeBot(digest.plugin) as bot:
        await switched_on(bot)
        await bot.drop("b.txt", b"b", in_room())
        await bot.say("keep", in_room())
        [said] = await bot.pass_time(DAY)
        assert said.startswith("Good morning. One new file since yesterday")


async def test_a_room_that_does_not_want_it_hears_nothing() -> None:
    async with FakeBot(digest.plugin) as bot:
        await bot.drop("a.txt", b"a", in_room())
        await bot.say("keep", in_room())
        assert await bot.pass_time(DAY) == []
