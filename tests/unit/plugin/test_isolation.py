"""A plugin that misbehaves costs its own function alone, and is named in the log."""

import asyncio
import inspect
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from filebot.concurrency import bounded_call
from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.model import Address, IncomingMessage, Scope, Sender
from filebot.plugin import (
    Context,
    Entry,
    EntryFilter,
    FileOffered,
    FileRenamed,
    FileStored,
    Identity,
    Plugin,
    entry_lines,
    finding,
    listener_calls,
    people,
)
from filebot.plugin.blocking import PLACES
from filebot.plugin.handlers import MOST_NESTED
from filebot.testing import ALICE, BOB, FakeBot, open_catalog

deaf, others = Plugin[None]("deaf", api=1, needs={"jobs"}), Plugin[None]("others", api=1)
HEARD: list[str] = []
HANGS = asyncio.Event()


async def hear_nothing() -> NoReturn:
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
    monkeypatch.setattr(listener_calls, "LISTENER_LIMIT_S", 0.05)
    HEARD.clear()
    HANGS.clear()


async def test_listeners_that_ignore_their_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10), FakeBot(deaf, others, may_fail=True) as bot:
        [stored] = await bot.drop("a.txt", b"a")
        await bot.listeners_done()
        assert stored.startswith("Stored")
        assert [each for each in await bot.say("ls") if "a.txt" in each]
    assert HEARD == ["a.txt"]
    for name in ("hang_on", "hang_at_once"):
        hook = f"listener {name!r} of plugin deaf, for FileStored,"
        assert f"{hook} ignores that it is cancelled; it is broken off" in caplog.messages
        assert any(each.endswith(f": {hook} took over 0.05 s") for each in caplog.messages)


async def test_a_job_that_ignores_its_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10), FakeBot(deaf) as bot:
        await bot.say("later")
        with pytest.raises(TimeLimitExceeded):
            await bot.jobs.run()
    assert "job hang of plugin deaf ignores that it is cancelled; it is broken off" in caplog.messages
    [said] = [each for each in caplog.messages if "is tried again" in each]
    assert said.startswith(
        f"job hang of plugin deaf failed and is tried again: plugin deaf, job 'hang', {__file__}"
    )
    assert said.endswith(": job hang of plugin deaf took over 0.05 s")


async def test_a_job_whose_error_has_no_text_is_tried_again_as_any_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Untold(Exception):
        def __str__(self) -> str:
            raise LookupError

    plugin = Plugin[None]("untold", api=1, needs={"jobs"})

    @plugin.job("fail")
    async def fail(ctx: Context[None], _: dict[str, Any]) -> None:
        raise Untold

    @plugin.command("begin", usage="begin")
    async def begin(ctx: Context[None]) -> None:
        """Begin it."""
        await ctx.jobs.add("fail", {})
        raise Untold

    async with FakeBot(plugin, may_fail=True) as bot:
        assert "Something went wrong" in (await bot.say("begin"))[0]
        await bot.jobs.run()
    place = f"{__file__}, line {inspect.getsourcelines(fail)[1] + 2}"
    told = f"plugin untold, job 'fail', {place}: Untold, an error that has no text"
    assert f"job fail of plugin untold failed and is tried again: {told}" in caplog.text


def ends(_: object) -> NoReturn:
    raise SystemExit(3)


async def test_functions_that_compute_do_not_end_the_catalog(tmp_path: Path) -> None:
    plugin = Plugin[None]("quits", api=1, needs={"store", "db"})

    @plugin.command("quit", usage="quit HOW")
    async def quit_(ctx: Context[None], how: str) -> None:
        """Try to end the bot."""
        if how == "change":
            await ctx.store.change("key", ends)
        elif how == "read":
            await ctx.db.read(ends)
        else:
            await ctx.db.write(ends)

    async with (
        asyncio.timeout(10),
        open_catalog(tmp_path / "catalog.sqlite") as catalog,
        FakeBot(plugin, catalog=catalog, may_fail=True) as bot,
    ):
        for how in ("change", "read", "write"):
            assert "Something went wrong" in (await bot.say(f"quit {how}"))[0]
        assert (await bot.drop("a.txt", b"a"))[0].startswith("Stored")


def deaf_helper() -> Plugin[None]:
    """A plugin all of whose answers to questions never come."""
    plugin = Plugin[None]("deaf", api=1)

    @plugin.filter("deaf")
    async def by_word(ctx: Context[None], word: str) -> EntryFilter:
        await hear_nothing()

    @plugin.resolver
    async def by_name(ctx: Context[None], name: str) -> None:
        await hear_nothing()

    @plugin.entry_lines
    async def lines(ctx: Context[None], entry: Entry) -> None:
        await hear_nothing()

    @plugin.export
    async def export(ctx: Context[None], person: Identity) -> None:
        await hear_nothing()

    @plugin.forget
    async def forget(ctx: Context[None], person: Identity) -> None:
        await hear_nothing()

    return plugin


async def test_who_asks_does_not_wait_for_what_ignores_its_cancellation(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "FIND_LIMIT_S", 0.05)
    monkeypatch.setattr(entry_lines, "LINES_LIMIT_S", 0.05)
    monkeypatch.setattr(people, "HOOK_LIMIT_S", 0.05)
    async with asyncio.timeout(10), FakeBot(deaf_helper(), may_fail=True) as bot:
        await bot.drop("a.txt", b"a")
        assert len(await bot.say("find deaf:1")) == 1
        assert "no file called" in (await bot.say("info other"))[0]
        assert "a.txt, #1" in (await bot.say("info a.txt"))[0]
        assert (await bot.export_person(BOB)).failed == ["deaf"]
        assert await bot.forget_person(BOB) == ["deaf"]
    for hook in ("filter 'deaf'", "resolver 'by_name'", "entry lines 'lines'", "export 'export'"):
        assert f"{hook} of plugin deaf ignores that it is cancelled; it is broken off" in caplog.messages


async def test_calls_that_lead_to_themselves_end(caplog: pytest.LogCaptureFixture) -> None:
    calls_of = Counter[str]()
    plugin = Plugin[None]("echo", api=1, needs={"files.write", "files.read", "files.annotate", "checks"})

    @plugin.on(FileRenamed)
    async def rename(ctx: Context[None], event: FileRenamed) -> None:
        calls_of["listener"] += 1
        await ctx.files.rename(event.entry, f"{calls_of.total()}.txt")

    @plugin.on(FileRenamed, at_once=True)
    async def rename_at_once(ctx: Context[None], event: FileRenamed) -> None:
        calls_of["listener at once"] += 1

    @plugin.entry_lines
    async def lines(ctx: Context[None], entry: Entry) -> str:
        calls_of["lines"] += 1
        return "".join(await ctx.entry_lines(entry)) or "end"

    @plugin.filter("deep")
    async def deep(ctx: Context[None], word: str) -> EntryFilter:
        calls_of["filter"] += 1
        await ctx.files.search("deep:1", limit=1)
        raise AssertionError

    @plugin.check(FileOffered)
    async def add(ctx: Context[None], act: FileOffered) -> None:
        calls_of["check"] += 1
        if act.name != "a.txt":
            await ctx.files.add("deeper.txt", b"x")

    async with asyncio.timeout(20), FakeBot(plugin, may_fail=True) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("rename a.txt to b.txt")
        await bot.listeners_done()
        assert "\nend\n" in (await bot.say("info #1"))[0]
        assert len(await bot.say("find deep:1")) == 1
        [said] = await bot.drop("b.txt", b"b")
        assert not said.startswith("Stored")
        assert len(await bot.catalog.page(Scope(owner=ALICE), limit=9)) == 1
    assert calls_of.pop("check") == 2  # it may not do at all what it is asked about
    assert min(calls_of.values()) >= MOST_NESTED - 2
    assert max(calls_of.values()) <= MOST_NESTED + 1
    told = f"of plugin echo, for FileRenamed, is not called: {MOST_NESTED} calls have led to it"
    assert told in caplog.text


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
