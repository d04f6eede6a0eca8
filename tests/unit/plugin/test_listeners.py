"""The three kinds of listeners, in a fake bot."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from filebot.errors import PluginError
from filebot.model import MessageRef
from filebot.plugin import (
    Context,
    Event,
    FileAutoArchived,
    FileDelivered,
    FileRefused,
    FileRemoved,
    FileRenamed,
    FileShared,
    FileStored,
    OwnerChanged,
    Plugin,
    at_once,
)
from filebot.testing import ALICE, BOB, ROOM, FakeBot
from filebot.testing.senders import in_room
from tests.support.manual import example
from tests.support.virtual_time import in_virtual_time

HOUR = timedelta(hours=1)


async def test_the_example_of_listeners_that_nobody_waits_for_works() -> None:
    async with FakeBot(example("minutes").plugin) as bot:
        said = await bot.drop("a.txt", b"a") + await bot.listeners_done()
        assert 'New: "a.txt"' in said
        assert 'Gone: "a.txt"' not in await bot.say("rm a.txt")
        assert await bot.jobs.run() == ['Gone: "a.txt"']


async def test_a_listener_at_once_delays_no_reply() -> None:
    plugin, go = Plugin[None]("slow", api=1, templates={"said": "at last"}), asyncio.Event()

    @plugin.on(FileStored, at_once=True)
    async def wait(ctx: Context[None], _: FileStored) -> None:
        await go.wait()
        await ctx.reply("slow/said")

    async with FakeBot(plugin) as bot:
        [stored] = await bot.drop("a.txt", b"a")
        assert "a.txt" in stored
        assert "a.txt" in (await bot.say("ls"))[0]
        go.set()
        assert await bot.listeners_done() == ["at last"]


@in_virtual_time
async def test_a_listener_at_once_that_sleeps_takes_no_time_of_the_reply() -> None:
    plugin, loop = Plugin[None]("sleepy", api=1), asyncio.get_running_loop()
    ended = list[float]()

    @plugin.on(FileStored, at_once=True)
    async def sleep(ctx: Context[None], _: FileStored) -> None:
        await asyncio.sleep(1)
        ended.append(loop.time())

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("get a.txt")
        assert (loop.time(), ended) == (0, [])
        await bot.listeners_done()
        assert ended == [1]


async def test_listeners_at_once_run_beside_each_other_and_a_failing_one_harms_none() -> None:
    plugin, met = Plugin[None]("pair", api=1, templates={"met": "met"}), asyncio.Barrier(2)

    @plugin.on(FileStored, at_once=True)
    async def first(ctx: Context[None], _: FileStored) -> None:
        await met.wait()
        raise LookupError

    @plugin.on(FileStored, at_once=True)
    async def second(ctx: Context[None], _: FileStored) -> None:
        await met.wait()
        await ctx.reply("pair/met")

    async with FakeBot(plugin, may_fail=True) as bot:
        said = await bot.drop("a.txt", b"a") + await bot.listeners_done()
    assert "met" in said


async def test_a_plugin_whose_listeners_at_once_hang_loses_calls_of_its_own_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(at_once, "MOST_RUNNING", 2)
    monkeypatch.setattr(at_once, "MOST_WAITING", 3)
    hanging, other = Plugin[None]("hanging", api=1), Plugin[None]("other", api=1, templates={"ok": "ok"})
    go, running, called = asyncio.Event(), list[str](), list[str]()

    @hanging.on(FileStored, at_once=True)
    async def hang(ctx: Context[None], event: FileStored) -> None:
        running.append(event.name)
        await go.wait()

    @other.on(FileStored, at_once=True)
    async def work(ctx: Context[None], event: FileStored) -> None:
        called.append(event.name)

    async with FakeBot(hanging, other) as bot:
        for number in range(5):
            await bot.drop(f"{number}.txt", b"%d" % number)
        assert running == ["0.txt", "1.txt"]
        assert "listener of FileStored of plugin hanging is not started: 3 tasks are running" in caplog.text
        go.set()
        await bot.listeners_done()
    assert running == ["0.txt", "1.txt", "2.txt"]
    assert called == [f"{number}.txt" for number in range(5)]


def recorder(*events: type[Event]) -> tuple[Plugin[None], list[Event]]:
    """A plugin with durable listeners for events, and what they heard."""
    plugin, heard = (
        Plugin[None]("recorder", api=1, templates={"heard": "heard of {{ name }}"}),
        list[Event](),
    )
    for each in events:

        @plugin.on(each, durable=True)
        async def note(ctx: Context[None], event: Any) -> None:
            heard.append(event)
            await ctx.reply("recorder/heard", name=event.entry.name)

    return plugin, heard


async def test_a_durable_listener_is_called_as_a_job() -> None:
    plugin, heard = recorder(FileStored)
    async with FakeBot(plugin) as bot:
        [stored] = await bot.drop("a.txt", b"a", caption="tea")
        assert "a.txt" in stored
        assert heard == []
        assert await bot.jobs.run() == ["heard of a.txt"]
        [event] = heard
        assert isinstance(event, FileStored)
        assert (event.sender.jid, event.entry.caption, event.already_known) == (ALICE, "tea", False)
        assert await bot.catalog.entry(event.entry.id) == event.entry
        assert await bot.jobs.run() == []


@pytest.mark.parametrize("durable", [False, True])
async def test_one_listener_hears_events_of_several_classes(*, durable: bool) -> None:
    plugin, heard = Plugin[None]("several", api=1), list[str]()

    @plugin.on(FileStored, FileShared, FileRenamed, durable=durable)
    async def note(ctx: Context[None], event: FileStored | FileShared | FileRenamed) -> None:
        heard.append(f"{type(event).__name__} {event.entry.name}")

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        await bot.say("rename a.txt to b.txt")
        await bot.jobs.run()
    assert sorted(heard) == ["FileRenamed b.txt", "FileShared a.txt", "FileStored a.txt"]


def test_each_class_of_a_listener_is_looked_at() -> None:
    plugin = Plugin[None]("several", api=1)

    async def note(ctx: Context[None], event: Any) -> None:
        """Do nothing."""

    wrong: Any = str
    with pytest.raises(PluginError, match="<class 'str'>, which is no class of events"):
        plugin.on(FileStored, wrong)(note)


async def test_each_change_of_a_file_is_told_once_and_in_order() -> None:
    plugin, heard = recorder(FileStored, FileShared, FileRenamed, FileRemoved)
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("rename a.txt to b.txt")
        await bot.say(f"send b.txt to {ROOM}")
        await bot.say("rm b.txt")
        await bot.jobs.run()
    kinds = [type(event) for event in heard]
    assert kinds.count(FileShared) == 1
    own = [kind for kind in kinds if kind is not FileShared]
    assert own == [FileStored, FileRenamed, FileRemoved]


async def test_a_file_that_was_there_already_is_told_again() -> None:
    plugin, heard = recorder(FileStored)
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.drop("a.txt", b"a")
        await bot.jobs.run()
    assert [event.already_known for event in heard if isinstance(event, FileStored)] == [False, True]


async def test_what_a_room_keeps_and_releases_is_told() -> None:
    plugin, heard = recorder(FileAutoArchived, OwnerChanged)
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a", in_room(BOB, "bob"))
        await bot.say("keep", in_room(BOB, "bob"))
        await bot.destroy(ROOM)
        await bot.jobs.run()
    [changed] = [event for event in heard if isinstance(event, OwnerChanged)]
    assert (changed.entry.room, changed.former_room, changed.sender.room) == (None, ROOM, ROOM)


async def test_an_event_without_a_change_of_the_catalog_is_durable_as_well() -> None:
    plugin, heard = recorder(FileDelivered)
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("get a.txt")
        await bot.jobs.run()
    assert [type(event) for event in heard] == [FileDelivered]


async def test_a_durable_listener_that_fails_is_called_again() -> None:
    plugin, tries = Plugin[None]("frail", api=1), list[str]()

    @plugin.on(FileStored, durable=True)
    async def fail_once(ctx: Context[None], event: FileStored) -> None:
        tries.append(event.name)
        if len(tries) == 1:
            raise LookupError

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        for _ in range(3):
            bot.may_fail = True
            await bot.jobs.run()
            await bot.pass_time(HOUR)
    assert tries == ["a.txt", "a.txt"]


async def test_what_a_disabled_plugin_missed_it_does_not_hear_and_what_waits_it_does() -> None:
    plugin, heard = recorder(FileStored)
    async with FakeBot(plugin) as bot:
        await bot.drop("before.txt", b"a")
    async with FakeBot(catalog=bot.catalog) as without:
        await without.drop("meanwhile.txt", b"b")
        await without.jobs.run()
        assert await without.jobs.count("recorder") == 1
    async with FakeBot(plugin, catalog=bot.catalog) as again:
        await again.jobs.run()
    assert [event.name for event in heard if isinstance(event, FileStored)] == ["before.txt"]


async def test_an_event_of_a_plugins_own_is_durable_and_a_subclass_is_heard_as_its_class() -> None:
    plugin, heard = Plugin[None]("own", api=1, needs={"events"}), list[Event]()

    @plugin.on(Tagged, durable=True)
    async def tagged(ctx: Context[None], event: Tagged) -> None:
        heard.append(event)

    @plugin.command("tag", usage="tag")
    async def tag(ctx: Context[None]) -> None:
        """Tag."""
        await ctx.emit(Tagged(ctx.sender, "en", ("a", "b")))
        await ctx.emit(TaggedTwice(ctx.sender, "en", ("c",), 2))

    async with FakeBot(plugin) as bot:
        await bot.say("tag")
        await bot.jobs.run()
    assert [(type(event), getattr(event, "tags", None)) for event in heard] == [
        (Tagged, ("a", "b")),
        (Tagged, ("c",)),
    ]


@dataclass(frozen=True)
class Tagged(Event):
    tags: tuple[str, ...]


@dataclass(frozen=True)
class TaggedTwice(Tagged):
    times: int


async def test_an_event_of_a_plugin_that_cannot_be_kept_is_an_error_of_it() -> None:
    plugin, raised = Plugin[None]("own", api=1, needs={"events"}), list[str]()

    @plugin.on(Tagged, durable=True)
    async def tagged(ctx: Context[None], event: Tagged) -> None: ...

    @plugin.command("tag", usage="tag")
    async def tag(ctx: Context[None]) -> None:
        """Tag."""
        for tags in ((1,), ("x" * 20_000,)):
            with pytest.raises(PluginError) as error:
                await ctx.emit(Tagged(ctx.sender, "en", tags))  # type: ignore[arg-type]
            raised.append(str(error.value))

    async with FakeBot(plugin) as bot:
        await bot.say("tag")
        assert await bot.jobs.count("own") == 0
    assert raised[0].startswith("Tagged cannot be kept: ")
    assert "more than 16384" in raised[1]


async def test_an_event_is_kept_although_ids_of_messages_and_nicks_are_endless() -> None:
    plugin, heard = recorder(FileStored)
    long = "x" * 20_000
    async with FakeBot(plugin) as bot:
        who = replace(in_room(ALICE, long), message_id=long, message_ref=MessageRef(ROOM, long))
        await bot.drop("a.txt", b"a", who, caption="tea", message_id=long)
        await bot.say("keep", who)
        await bot.drop("b.txt", b"b", caption="tea", message_id=long)
        await bot.jobs.run()
    assert [event.entry.name for event in heard if isinstance(event, FileStored)] == ["a.txt", "b.txt"]
    assert all(event.sender.jid == ALICE for event in heard)


def test_mistakes_in_kinds_are_found_when_the_module_is_loaded() -> None:
    plugin = Plugin[None]("wrong", api=1)

    async def heard(ctx: Context[None], event: Any) -> None: ...

    with pytest.raises(PluginError, match="is both at once and durable; leave one of them out"):
        plugin.on(FileStored, at_once=True, durable=True)(heard)
    with pytest.raises(PluginError, match="events of FileRefused cannot be kept; leave out durable=True"):
        plugin.on(FileRefused, durable=True)(heard)
    with pytest.raises(PluginError, match="is durable; name one class of events"):
        plugin.on(Event, durable=True)(heard)
    plugin.on(FileStored, durable=True)(heard)
    with pytest.raises(PluginError, match="two listeners 'on FileStored: heard'; give one another name"):
        plugin.on(FileStored, durable=True)(heard)


# --- only where a room wants it -----------------------------------------------------------------------


async def test_the_example_of_a_listener_for_some_rooms_works() -> None:
    async with FakeBot(example("farewell").plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        for wish, said in ("off", []), ("on", ["a.txt is gone."]):
            await bot.say(f"room set farewell {wish}", in_room())
            await bot.drop("a.txt", b"a", in_room())
            await bot.say("keep", in_room())
            await bot.say("rm a.txt", in_room())
            assert await bot.jobs.count("farewell") == len(said)
            assert await bot.jobs.run() == said
        await bot.drop("own.txt", b"a")
        await bot.say("rm own.txt")
        assert await bot.jobs.count("farewell") == 0


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_listener_for_some_rooms_hears_of_no_other(*, at_once: bool) -> None:
    plugin, heard = Plugin[None]("some", api=1), list[str | None]()
    wanted = plugin.room_setting("some", bool, default=False)

    @plugin.on(Event, at_once=at_once, where=wanted)
    async def hear(_: Context[None], event: Event) -> None:
        heard.append(event.sender.room)

    async with FakeBot(plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        await bot.say("room set some on", in_room())
        await bot.listeners_done()
        assert heard == []
        await bot.say("https://example.org/", in_room())
        await bot.drop("b.txt", b"b", in_room())
        await bot.say("keep", in_room())
        await bot.drop("c.txt", b"c")
        await bot.listeners_done()
    assert set(heard) == {ROOM}


def test_a_listener_is_for_rooms_with_a_setting_of_its_own_plugin() -> None:
    plugin, other = Plugin[None]("some", api=1), Plugin[None]("other", api=1)
    foreign = other.room_setting("other", bool, default=False)
    for wrong in ("some", foreign):
        with pytest.raises(PluginError, match="is no room setting of the plugin; declare it first"):

            @plugin.on(FileStored, where=wrong)  # type: ignore[arg-type]
            async def hear(_: Context[None], event: FileStored) -> None:
                """Never."""
