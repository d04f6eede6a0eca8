"""Lifespans of plugins: opened before the bot is online, closed at the end, each for itself."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from filebot.chat.assembly import build_lifespans, http_factory
from filebot.concurrency import bounded_call
from filebot.errors import PluginError
from filebot.plugin import Context, Life, Plugin, lifespan
from filebot.plugin_loader import load_declared, with_lifespans
from filebot.replies import Replies
from filebot.testing import FakeBot
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.http import MemoryWeb
from tests.support.manual import example

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    CALLS.clear()
    monkeypatch.setattr(bounded_call, "GRACE_S", 0.05)
    monkeypatch.setattr(lifespan, "OPEN_LIMIT_S", 0.2)
    monkeypatch.setattr(lifespan, "CLOSE_LIMIT_S", 0.1)


async def test_the_example_of_a_lifespan_works(tmp_path: Path) -> None:
    path = tmp_path / "journal.txt"
    async with FakeBot(example("journal").plugin, settings={"journal": {"path": path}}) as bot:
        assert path.read_text() == ""
        await bot.drop("a.txt", b"a")
    assert path.read_text() == "a.txt\n"


async def test_state_is_each_bots_own_and_a_command_is_given_it() -> None:
    plugin = Plugin[None]("counter", api=1, templates={"said": "{{ count }}"})

    @plugin.lifespan
    async def counts(life: Life[None]) -> AsyncIterator[list[int]]:
        CALLS.append("opened")
        yield []
        CALLS.append("closed")

    @plugin.command("count", usage="count")
    async def count(ctx: Context[None]) -> None:
        """Count."""
        found = ctx.state(counts)
        found.append(1)
        await ctx.reply("counter/said", count=len(found))

    async with FakeBot(plugin) as one, FakeBot(plugin) as two:
        assert await one.say("count") == ["1"]
        assert await one.say("count") == ["2"]
        assert await two.say("count") == ["1"]
        assert CALLS == ["opened"] * 2
    assert CALLS == ["opened"] * 2 + ["closed"] * 2


async def test_a_lifespan_has_what_its_plugin_declared_it_needs() -> None:
    plugin = Plugin[None]("keeper", api=1, needs={"store", "jobs"}, templates={"said": "{{ was }}"})

    @plugin.lifespan
    async def keep(life: Life[None]) -> AsyncIterator[int]:
        was = await life.store.get("starts", 0)
        await life.store.set("starts", was + 1)
        await life.jobs.add("work", {})
        assert await life.run_blocking(max, 1, 2) == 2
        yield was

    @plugin.job("work")
    async def work(ctx: Context[None], _: dict[str, Any]) -> None:
        CALLS.append("worked")

    @plugin.command("starts", usage="starts")
    async def starts(ctx: Context[None]) -> None:
        """Count the starts."""
        await ctx.reply("keeper/said", was=ctx.state(keep))

    async with FakeBot(plugin) as bot:
        assert await bot.say("starts") == ["0"]
        await bot.jobs.run()
    async with FakeBot(plugin, catalog=bot.catalog) as again:
        assert await again.say("starts") == ["1"]
    assert CALLS == ["worked"]


async def test_what_it_did_not_declare_is_refused_when_the_plugin_is_loaded() -> None:
    plugin = Plugin[None]("greedy", api=1)

    @plugin.lifespan
    async def open_all(life: Life[None]) -> AsyncIterator[None]:
        await life.store.get("a", 0)
        yield

    with pytest.raises(PluginError, match=r'lifespan: ctx\.store\.get .* needs "store"'):
        FakeBot(plugin)


async def test_tasks_end_before_it_closes_and_what_they_raise_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugin = Plugin[None]("busy", api=1)
    running = asyncio.Event()

    async def listen() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            CALLS.append("task")

    async def fail() -> None:
        raise LookupError("odd")

    async def deaf() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    @plugin.lifespan
    async def live(life: Life[None]) -> AsyncIterator[None]:
        assert life.start(listen(), "listening")
        assert life.start(deaf(), "deaf")
        assert life.start(fail(), "failing")
        yield
        CALLS.append("closed")

    async with FakeBot(plugin, may_fail=True):
        await running.wait()
    assert CALLS == ["task", "closed"]
    assert "plugin busy, task 'failing', " in caplog.text
    assert "task 'deaf' of plugin busy ignores that it is cancelled; it is broken off" in caplog.text


async def fails_at_once(life: Life[None]) -> AsyncIterator[None]:
    raise LookupError("no such place")
    yield


async def wants_to_end_the_bot(life: Life[None]) -> AsyncIterator[None]:
    raise SystemExit
    yield


async def never_opens(life: Life[None]) -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


async def ignores_all(life: Life[None]) -> AsyncIterator[None]:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
    yield


async def yields_nothing(life: Life[None]) -> AsyncIterator[None]:
    if CALLS:
        yield


FAILING: dict[Callable[[Life[None]], AsyncIterator[None]], str] = {
    fails_at_once: "LookupError: no such place",
    wants_to_end_the_bot: "a plugin's function wanted to end the bot",
    never_opens: "its lifespan: it is not open after 0.2 s",
    ignores_all: "its lifespan: it is not open after 0.2 s",
    yields_nothing: "RuntimeError: generator didn't yield",
}


@pytest.mark.parametrize("function", FAILING, ids=lambda each: each.__name__)
async def test_one_that_fails_costs_its_plugin_alone(
    function: Callable[[Life[None]], AsyncIterator[None]],
) -> None:
    failing, other = Plugin[None]("failing", api=1), Plugin[None]("other", api=1)
    failing.lifespan(function)

    @other.lifespan
    async def live(life: Life[None]) -> AsyncIterator[str]:
        yield "alive"

    plugins = load_declared([failing, other], {}, Replies())
    lifespans = build_lifespans(plugins, MemoryCatalog(), lambda: FakeBot().now, http_factory(MemoryWeb()))
    left_out = list[str]()
    usable = await with_lifespans(plugins, lifespans, left_out.append)
    assert [each.plugin.name for each in plugins if each not in usable] == ["failing"]
    [line] = left_out
    assert line.startswith("plugin failing cannot be used: its lifespan: ")
    assert FAILING[function] in line
    assert lifespans.state("other", live) == "alive"
    with pytest.raises(PluginError, match="asks for the state of plugin 'other'"):
        lifespans.state("failing", live)
    await lifespans.close()
    with pytest.raises(PluginError, match="is not open"):
        lifespans.state("other", live)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_fake_bot_raises_what_a_lifespan_raises() -> None:
    plugin = Plugin[None]("failing", api=1)
    plugin.lifespan(fails_at_once)
    with pytest.raises(LookupError, match="no such place"):
        async with FakeBot(plugin):
            pass


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", ": LookupError"),
        ("hangs", ": it does not end within 0.1 s"),
        ("yields again", ": RuntimeError: generator didn't stop"),
    ],
)
async def test_one_that_does_not_close_holds_nobody_up(
    how: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    rude, other = Plugin[None]("rude", api=1), Plugin[None]("other", api=1)

    @rude.lifespan
    async def live(life: Life[None]) -> AsyncIterator[None]:
        yield
        if how == "raises":
            raise LookupError
        if how == "hangs":
            await asyncio.Event().wait()
        yield

    @other.lifespan
    async def live_too(life: Life[None]) -> AsyncIterator[None]:
        yield
        CALLS.append("closed")

    async with asyncio.timeout(10):
        async with FakeBot(rude, other, may_fail=True):
            pass
    assert CALLS == ["closed"]
    assert f"plugin rude, lifespan, {__file__}, line " in caplog.text
    assert words in caplog.text


async def coroutine(life: Life[None]) -> None: ...


async def takes_nothing() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (coroutine, "coroutine is no async generator; write async def and yield"),
        (takes_nothing, "takes_nothing is given a life, but"),
    ],
)
def test_a_mistake_is_found_when_the_module_is_loaded(function: Any, mistake: str) -> None:
    place = f"{__file__}, line {inspect.getsourcelines(function)[1]}"
    with pytest.raises(PluginError, match=rf"lifespan of plugin 'wrong' \({place}\): {mistake}"):
        Plugin[None]("wrong", api=1).lifespan(function)


def test_a_plugin_has_one_lifespan() -> None:
    plugin = Plugin[None]("twice", api=1)
    plugin.lifespan(fails_at_once)
    with pytest.raises(PluginError, match="there is one already"):
        plugin.lifespan(never_opens)
