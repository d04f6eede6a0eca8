"""Weights of files, in a fake bot: what a plugin says counts less for a quota."""

import asyncio
from dataclasses import replace

import pytest

from filebot.plugin import Context, Entry, Plugin
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.bot import LIMITS
from tests.support.manual import example


def bin_plugin() -> Plugin[None]:
    plugin = Plugin[None](
        "bin", api=1, needs={"files.read", "files.weigh"}, templates={"done": "{{ name }}: {{ percent }}"}
    )

    @plugin.command("weigh", usage="weigh FILE as PERCENT")
    async def weigh(ctx: Context[None], file: Entry, percent: int) -> None:
        """Let it count so much."""
        await ctx.files.set_weight(file, percent)
        await ctx.reply("bin/done", name=file.name, percent=percent)

    return plugin


FEW = replace(LIMITS, quota_per_user_bytes=30_000, max_file_bytes=20_000)


async def used(bot: FakeBot, owner: str = ALICE) -> int:
    return (await bot._services.quota.usage(owner)).used_bytes - 4096


async def test_what_counts_less_makes_room_for_others_and_comes_back_only_if_it_fits() -> None:
    async with FakeBot(bin_plugin(), limits=FEW) as bot:
        await bot.drop("a.txt", b"a" * 15_000)
        assert "not enough space" in (await bot.drop("b.txt", b"b" * 12_000))[0]
        assert await bot.say("weigh a.txt as 50") == ["a.txt: 50"]
        assert await used(bot) == 7_500
        assert (await bot.drop("b.txt", b"b" * 12_000))[0].startswith("Stored")
        before = await used(bot)
        [said] = await bot.say("weigh a.txt as 100")
        assert "a.txt: 100" not in said
        assert await used(bot) == before
        await bot.say("rm b.txt")
        assert await bot.say("weigh a.txt as 100") == ["a.txt: 100"]
        assert await used(bot) == 15_000


async def test_files_that_grow_at_once_do_not_go_over_the_quota() -> None:
    async with FakeBot(bin_plugin(), limits=replace(FEW, quota_per_user_bytes=50_000)) as bot:
        for name in "abcd":
            await bot.drop(f"{name}.txt", name.encode() * 15_000)
            await bot.say(f"weigh {name}.txt as 0")
        said = await asyncio.gather(*(bot.say(f"weigh {name}.txt as 100") for name in "abcd"))
        assert any(": 100" in line for each in said for line in each)
        assert (await bot._services.quota.usage(ALICE)).used_bytes <= 50_000


async def test_a_share_of_what_counted_less_counts_whole() -> None:
    async with FakeBot(bin_plugin(), limits=replace(FEW, quota_per_user_bytes=25_000)) as bot:
        await bot.drop("a.txt", b"a" * 14_000)
        await bot.say("weigh a.txt as 10")
        await bot.drop("b.txt", b"b" * 10_000)
        assert "Posted" not in "".join(await bot.say(f"send a.txt to {ROOM}"))
        assert await bot.catalog.used_in(ROOM) == (0, 0)
        await bot.say("rm b.txt")
        await bot.say(f"send a.txt to {ROOM}")
        assert await bot.catalog.used_in(ROOM) == (1, 14_000)
        assert await bot.catalog.used_by(ALICE) == (2, 14_000)


async def test_nobody_weighs_the_files_of_others_and_no_percentage_is_odd(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeBot(bin_plugin(), may_fail=True) as bot:
        await bot.drop("a.txt", b"a" * 1000)
        await bot.say(f"send a.txt to {ROOM}")
        [said] = await bot.say("weigh a.txt as 0", in_room(BOB, "bob"))
        assert "a.txt: 0" not in said
        await bot.say("weigh a.txt as 101")
        assert "a weight of 101 percent" in caplog.text
        assert await bot.catalog.used_by(ALICE) == (2, 1000)


async def test_a_need_is_declared() -> None:
    plugin = Plugin[None]("bin", api=1, needs={"files.read"})

    @plugin.command("weigh", usage="weigh FILE")
    async def weigh(ctx: Context[None], file: Entry) -> None:
        """Let it count half."""
        await ctx.files.set_weight(file, 50)

    with pytest.raises(Exception, match=r"files\.weigh"):
        FakeBot(plugin)


async def test_the_example_of_the_manual_lets_files_count_half() -> None:
    async with FakeBot(example("attic").plugin) as bot:
        await bot.drop("a.txt", b"a" * 1001)
        assert await bot.say("stow a.txt") == ['"a.txt" counts half.']
        assert await bot.catalog.used_by(ALICE) == (1, 500)
        assert await bot.say("unstow a.txt") == ['"a.txt" counts whole.']
        assert await bot.catalog.used_by(ALICE) == (1, 1001)
