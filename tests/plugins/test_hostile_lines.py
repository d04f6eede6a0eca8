"""Lines that many requests are in: the bot reads them in a moment, and does nothing unasked."""

import time

import pytest

from filebot.testing import FakeBot


@pytest.mark.parametrize(
    "line",
    [
        " and ".join(["rm a.txt"] * 20 + ["rm b.txt"]),
        "。".join(["删除"] * 100),
        "，".join(["删除 a.txt"] * 25),
        " then ".join(["delete the report"] * 12),
    ],
)
async def test_a_line_of_many_requests_is_read_in_a_moment(line: str) -> None:
    async with FakeBot() as bot:
        await bot.drop("a.txt", b"1")
        began = time.process_time()

        await bot.say(line)

        assert time.process_time() - began < 3.0
        assert await bot.catalog.entry(1) is not None


async def test_each_part_of_a_sentence_that_removes_something_is_asked_about() -> None:
    async with FakeBot() as bot:
        await bot.drop("a.txt", b"1")
        await bot.drop("b.txt", b"2")

        assert "rm a.txt?" in (await bot.say("delete a.txt and rm b.txt"))[0]
        assert "rm b.txt?" in (await bot.say("yes"))[-1]
        await bot.say("no")

        assert await bot.catalog.entry(1) is None
        assert await bot.catalog.entry(2) is not None
