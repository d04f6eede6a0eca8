"""The bot for the tests of plugins: its clock, its people, and the faults that it can be given."""

from datetime import timedelta
from typing import Any

import pytest

from filebot.errors import PeerGone, StorageFull, TransferError, TransferTimeout
from filebot.model import Client, Method, Negotiation, Scope
from filebot.plugin import Context, Plugin
from filebot.testing import ALICE, BOB, ROOM, FakeBot, InspectorByName, in_room, queue, through_room

URL = "https://service.example.org/"


async def test_types_are_found_by_content_unless_a_test_wants_names() -> None:
    async with FakeBot() as bot:
        await bot.drop("a.png", b"%PDF-1.4\n")
        assert "PDF" in (await bot.say("info a.png"))[0]
    async with FakeBot(inspector=InspectorByName()) as bot:
        await bot.drop("a.png", b"%PDF-1.4\n")
        assert "PDF" not in (await bot.say("info a.png"))[0]


async def test_a_type_that_is_claimed_counts_where_the_content_says_little() -> None:
    async with FakeBot() as bot:
        await bot.drop("notes", b"# Notes\n", type="text/markdown")
        [entry] = await bot.catalog.find_by_glob(Scope(owner=ALICE), "*", 9)
        assert entry.media_type == "text/markdown"


async def test_people_speak_in_private_in_a_room_and_through_one() -> None:
    plugin = Plugin[None]("who", api=1, templates={"you": "{{ nick }} {{ public }}"})

    @plugin.command("who", usage="who")
    async def who(ctx: Context[None]) -> None:
        """Say who speaks."""
        await ctx.reply("who/you", nick=ctx.sender.nick, public=ctx.sender.in_public)

    async with FakeBot(plugin) as bot:
        assert await bot.say("who", BOB) == ["False"]
        assert await bot.say("who", BOB, room=ROOM) == ["bob True"]
        assert await bot.say("who", in_room(BOB, "ben")) == ["ben True"]
        assert await bot.say("who", through_room(BOB, "ben")) == ["ben False"]
        await bot.drop("a.txt", b"a", BOB, room=ROOM)
        await bot.say("keep", by=BOB, room=ROOM)
        assert "a.txt" in (await bot.say("ls", room=ROOM))[0]


async def test_time_passes_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_STEPS", 100)
    plugin, times = Plugin[None]("clock", api=1), list[int]()

    @plugin.every("1h")
    async def tick(ctx: Context[None]) -> None:
        times.append(round((ctx.now - began).total_seconds() / 3600))

    async with FakeBot(plugin) as bot:
        began = bot.now
        await bot.pass_time(timedelta(hours=3, minutes=30))
        assert times == [1, 2, 3]
        assert bot.now == began + timedelta(hours=3, minutes=30)
        with pytest.raises(ValueError, match="let less time pass"):
            await bot.pass_time(timedelta(days=3650))


async def test_a_full_store_and_a_catalog_that_fails_are_told_and_over_again() -> None:
    async with FakeBot() as bot:
        with bot.faults.full_store():
            assert "storage is full" in (await bot.drop("a.txt", b"a"))[0]
        assert "Stored" in (await bot.drop("a.txt", b"a"))[0]
        with bot.faults.failing_catalog():
            [said] = await bot.say("rename a.txt to b.txt")
            assert "b.txt" not in said
        with bot.faults.failing_catalog(StorageFull()):
            assert "keeps its old name" in (await bot.say("rename a.txt to b.txt"))[0]
        assert "b.txt" in (await bot.say("rename a.txt to b.txt"))[0]


async def test_a_catalog_that_fails_keeps_no_value_and_no_job() -> None:
    plugin = Plugin[None]("notes", api=1, needs={"store", "jobs"}, templates={"done": "done"})

    @plugin.job("work")
    async def work(ctx: Context[None], payload: dict[str, Any]) -> None: ...

    @plugin.command("note", usage="note WHAT")
    async def note(ctx: Context[None], what: str) -> None:
        """Keep it."""
        await (ctx.store.set("a", 1) if what == "value" else ctx.jobs.add("work", {}))
        await ctx.reply("notes/done")

    async with FakeBot(plugin) as bot:
        for what in ("value", "job"):
            with bot.faults.failing_catalog():
                assert await bot.say(f"note {what}") != ["done"]
            assert await bot.say(f"note {what}") == ["done"]


@pytest.mark.parametrize("answer", [500, TransferTimeout(idle_s=5.0)])
async def test_servers_fail(answer: int | TransferError) -> None:
    plugin, seen = (
        Plugin[None]("ask", api=1, needs={"http"}, templates={"got": "{{ status }}"}),
        list[str](),
    )

    @plugin.command("ask", usage="ask")
    async def ask(ctx: Context[None]) -> None:
        """Ask a server."""
        try:
            await ctx.reply("ask/got", status=(await ctx.http.get(URL)).status)
        except TransferError as error:
            seen.append(type(error).__name__)

    async with FakeBot(plugin) as bot:
        with bot.faults.http(answer):
            said = await bot.say("ask")
            assert (said, seen) == ((["500"], []) if answer == 500 else ([], ["TransferTimeout"]))
            assert "Stored" not in (await bot.drop("a.txt", b"a"))[0]
        assert "Stored" in (await bot.drop("a.txt", b"a"))[0]


async def test_deliveries_fail() -> None:
    desktop = Client(f"{BOB}/desktop", {Negotiation.SI: frozenset({Method.SOCKS5})})
    async with FakeBot() as bot:
        bot.streams.online[BOB] = (desktop,)
        await bot.drop("a.txt", b"a")
        with bot.faults.failing_deliveries(PeerGone("away")):
            await bot.say(f"send a.txt to {BOB}")
            assert (bot.sent, bot.streams.received) == ([], [])
        await bot.say(f"send a.txt to {BOB}")
        assert bot.sent or bot.streams.received
