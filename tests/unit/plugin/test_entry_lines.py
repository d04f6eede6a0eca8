"""Lines that plugins add to the answer about a file."""

import asyncio
import logging
from datetime import timedelta

import pytest

from filebot.errors import PluginError
from filebot.plugin import Context, Entry, Plugin, calls, entry_lines
from filebot.testing import BOB, ROOM, FakeBot, in_room
from tests.support.manual import example


async def test_the_example_of_lines_about_a_file_works() -> None:
    async with FakeBot(example("age").plugin) as bot:
        await bot.drop("a.txt", b"a")
        assert "Age:" not in (await bot.say("info a.txt"))[0]
        await bot.pass_time(timedelta(hours=2))
        assert "\nAge: 2 hours\n" in (await bot.say("info a.txt"))[0]


async def test_lines_are_for_whoever_asks() -> None:
    plugin = Plugin[None]("you", api=1, needs={"files.read"})

    @plugin.entry_lines
    async def you(ctx: Context[None], entry: Entry) -> str:
        return f"{ctx.sender.nick} asked, who sees {await ctx.files.count()}"

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        assert "bob asked, who sees 1" in (await bot.say("info a.txt", in_room(BOB, "bob")))[0]


async def test_whoever_fails_or_is_slow_costs_its_own_line_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "LINES_LIMIT_S", 0.05)
    plugin = Plugin[None]("odd", api=1)

    @plugin.entry_lines
    async def raises(ctx: Context[None], entry: Entry) -> str:
        raise ValueError("a mistake")

    @plugin.entry_lines
    async def hangs(ctx: Context[None], entry: Entry) -> str:
        await asyncio.Event().wait()
        return ""

    @plugin.entry_lines
    async def leaves(ctx: Context[None], entry: Entry) -> str:
        raise SystemExit

    @plugin.entry_lines  # type: ignore[arg-type]
    async def numbers(ctx: Context[None], entry: Entry) -> int:
        return 12

    @plugin.entry_lines
    async def needy(ctx: Context[None], entry: Entry) -> str:
        return str(await getattr(ctx, "files").count())  # noqa: B009 - hidden from the examination

    @plugin.entry_lines
    async def talks(ctx: Context[None], entry: Entry) -> str:
        return " more \n" + "x" * 5000

    async with FakeBot(plugin, may_fail=True) as bot:
        await bot.drop("a.txt", b"a")
        [said] = await bot.say("info a.txt")
    assert "a.txt, #1" in said
    assert "\nmore \n" + "x" * (entry_lines.MOST_CHARACTERS - 6) + "\n" in said
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    words = {
        "hangs": "entry lines 'hangs' of plugin odd took over 0.05 s",
        "leaves": "a plugin's function wanted to end the bot",
        "needy": 'ctx.files.count needs "files.read"',
        "numbers": "it returned int; return a text, or None for no line",
        "raises": "ValueError: a mistake",
    }
    for line, (function, mistake) in zip(sorted(told), words.items(), strict=True):
        assert line.startswith(f"plugin odd, entry lines {function!r}, {__file__}, line ")
        assert f": {mistake}" in line


def test_mistakes_in_the_declaration_are_found_when_it_is_loaded() -> None:
    plugin = Plugin[None]("odd", api=1)
    with pytest.raises(PluginError, match=r"entry lines 'plain' of plugin 'odd'.*write async def"):

        @plugin.entry_lines  # type: ignore[arg-type]
        def plain(ctx: Context[None], entry: Entry) -> str:
            return ""

    with pytest.raises(PluginError, match="few is given a context and a file, but: too many"):

        @plugin.entry_lines  # type: ignore[arg-type]
        async def few(ctx: Context[None]) -> str:
            return ""
