"""A plugin that misbehaves costs its own function alone, and is named in the log."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from filebot.concurrency import bounded_call
from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.model import Address, IncomingMessage, Sender
from filebot.plugin import Context, FileStored, Plugin, calls
from filebot.plugin.blocking import PLACES
from filebot.testing import BOB, FakeBot

deaf, others = Plugin[None]("deaf", api=1, needs={"jobs"}), Plugin[None]("others", api=1)
HEARD: list[str] = []
HANGS = asyncio.Event()


async def hear_nothing() -> None:
    """Ignore that it is cancelled, for ever."""
    HANGS.set()
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@deaf.command("hang", usage="hang")
async def hang(ctx: Context[None]) -> None:
    """Never end."""
    await hear_nothing()


@deaf.command("later", usage="later")
async def later(ctx: Context[None]) -> None:
    """Never end later."""
    await ctx.jobs.add("hang", {})


@deaf.job("hang", limit_s=0.05)
async def hang_later(ctx: Context[None], _: dict[str, Any]) -> None:
    await hear_nothing()


@deaf.on(FileStored)
async def hang_on(ctx: Context[None], _: FileStored) -> None:
    await hear_nothing()


@deaf.on(FileStored, at_once=True)
async def hang_at_once(ctx: Context[None], _: FileStored) -> None:
    await hear_nothing()


@others.on(FileStored)
async def hear(ctx: Context[None], event: FileStored) -> None:
    HEARD.append(event.name)


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_call, "GRACE_S", 0.05)
    monkeypatch.setattr(calls, "LISTENER_LIMIT_S", 0.05)
    HEARD.clear()
    HANGS.clear()


async def test_listeners_that_ignore_their_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10), FakeBot(deaf, others) as bot:
        [stored] = await bot.drop("a.txt", b"a")
        await bot.listeners_done()
        assert stored.startswith("Stored")
        assert [each for each in await bot.say("ls") if "a.txt" in each]
    assert HEARD == ["a.txt"]
    for name in ("hang_on", "hang_at_once"):
        hook = f"listener {name!r} of plugin deaf, for FileStored,"
        assert f"{hook} ignores that it is cancelled; it is broken off" in caplog.messages
        assert f"{hook} took over 0.05 s" in caplog.messages


async def test_a_job_that_ignores_its_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10), FakeBot(deaf) as bot:
        await bot.say("later")
        with pytest.raises(TimeLimitExceeded):
            await bot.jobs.run()
    assert "job hang of plugin deaf ignores that it is cancelled; it is broken off" in caplog.messages
    assert "job hang of plugin deaf failed and is tried again: it took over 0.05 s" in caplog.messages


async def test_a_plugin_that_blocks_its_threads_leaves_some_for_the_others() -> None:
    go, plugin = threading.Event(), Plugin[None]("blocker", api=1)

    @plugin.command("block", usage="block")
    async def block(ctx: Context[None]) -> None:
        """Block as many threads as there are."""
        async with asyncio.TaskGroup() as group:
            for _ in range(2 * PLACES.total):
                group.create_task(ctx.run_blocking(go.wait))

    other = Plugin[None]("other", api=1, templates={"said": "{{ number }}"})

    @other.command("work", usage="work")
    async def work(ctx: Context[None]) -> None:
        """Work in a thread."""
        await ctx.reply("other/said", number=await ctx.run_blocking(max, 1, 2))

    async with asyncio.timeout(10), FakeBot(plugin, other) as bot:
        request = asyncio.create_task(bot.say("block"))
        await asyncio.sleep(0)
        await bot.dispatcher.receive(IncomingMessage(Sender(Address(BOB), BOB), "work"))
        assert bot.messenger.sent[-1].to.jid == BOB
        go.set()
        await request


async def test_a_command_that_ignores_its_cancellation_does_not_hold_up_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with asyncio.timeout(10):
        async with FakeBot(deaf) as bot:
            request = asyncio.create_task(bot.say("hang"))
            await HANGS.wait()
            await bot.dispatcher.receive(IncomingMessage(Sender(Address(BOB), BOB), "help"))
            assert bot.messenger.sent[-1].to.jid == BOB
            await bot.dispatcher.close(timeout_s=0.05)
        with suppress(asyncio.CancelledError):
            await request
    assert "command 'hang' of plugin deaf ignores that it is cancelled; it is broken off" in caplog.messages
