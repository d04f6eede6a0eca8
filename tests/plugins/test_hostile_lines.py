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
