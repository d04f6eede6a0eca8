"""A room hears in the morning of new files."""

from datetime import timedelta

from filebot.testing import BOB, ROOM, FakeBot, in_room
from tests.api1.examples import digest

DAY = timedelta(days=1)


async def switched_on(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await bot.say("room set digest on", in_room(BOB, "bob"))
    bot.now += DAY
    assert await bot.jobs.run() == []


async def test_a_room_hears_once_a_day_of_its_new_files() -> None:
    async with FakeBot(digest.plugin) as bot:
        await switched_on(bot)
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        await bot.drop("b.txt", b"b", in_room())
        await bot.say("keep", in_room())
        bot.now += DAY
        assert await bot.jobs.run() == ["Good morning. 2 new files since yesterday; to see more, type: !ls"]
        bot.now += DAY
        assert await bot.jobs.run() == []


async def test_one_file_is_told_of_as_one() -> None:
    async with FakeBot(digest.plugin) as bot:
        await switched_on(bot)
        await bot.drop("b.txt", b"b", in_room())
        await bot.say("keep", in_room())
        bot.now += DAY
        [said] = await bot.jobs.run()
        assert said.startswith("Good morning. One new file since yesterday")


async def test_a_room_that_does_not_want_it_hears_nothing() -> None:
    async with FakeBot(digest.plugin) as bot:
        await bot.drop("a.txt", b"a", in_room())
        await bot.say("keep", in_room())
        bot.now += DAY
        assert await bot.jobs.run() == []
