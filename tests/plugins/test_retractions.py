"""Whoever takes a message back (XEP-0424), or a room for its moderators (XEP-0425), takes its file back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from filebot.chat.rate_limits import WAITING_PER_PERSON
from filebot.events.facts import FileRemoved, RemovalReason, room_itself
from filebot.model import (
    Address,
    AddressKind,
    IncomingMessage,
    MessageIds,
    Offer,
    Retraction,
    Scope,
    Sender,
)
from filebot.plugin import Context, Plugin
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.http import HostedFile

removals = list[tuple[str, RemovalReason]]()

plugin = Plugin[None]("witness", api=1)


@plugin.on(FileRemoved)
async def note(ctx: Context[None], event: FileRemoved) -> None:
    removals.append((event.entry.name, event.reason))


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    removals.clear()
    async with FakeBot(plugin) as fake:
        fake.rooms.managers[ROOM] = frozenset({ALICE})
        yield fake


async def names(bot: FakeBot, scope: Scope) -> list[str]:
    return [each.name for each in await bot.catalog.page(scope, limit=10)]


MINE, HERE = Scope(owner=ALICE), Scope(room=ROOM)


async def test_a_retraction_removes_what_the_message_brought_and_says_so_in_private(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b", message_id="m2")
    [said] = await bot.retract("m1")
    assert said == 'Deleted "a.txt" (#1), as you took back the message that it came by.'
    assert await names(bot, MINE) == ["b.txt"]
    assert removals == [("a.txt", RemovalReason.RETRACTION)]
    assert await bot.retract("m1") == []


@pytest.mark.parametrize("message_id", ["m2", "", "unknown"])
async def test_a_retraction_of_another_message_changes_nothing(bot: FakeBot, message_id: str) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    assert await bot.retract(message_id) == []
    assert await names(bot, MINE) == ["a.txt"]


async def test_a_flood_of_retractions_is_refused_in_one_line_and_others_are_heard(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", BOB, message_id="m1")
    flood = [bot.retract(f"unknown {n}") for n in range(2 * WAITING_PER_PERSON)]
    said = await asyncio.gather(*flood, bot.retract("m1", BOB))
    assert {text for texts in said[:-1] for text in texts if text.startswith("You are faster")}
    assert any('Deleted "a.txt"' in text for texts in said for text in texts)
    assert await names(bot, Scope(owner=BOB)) == []


async def test_nobody_else_can_retract_it_also_by_the_same_id(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b", BOB, message_id="m1")
    assert await bot.retract("m1", "mallory@example.org") == []
    assert await bot.retract("m1", through_room(ALICE)) == []  # another conversation
    assert len(await bot.retract("m1", BOB)) == 1
    assert await names(bot, MINE) == ["a.txt"]


async def test_another_owners_copy_and_copies_shared_on_purpose_stay(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("a.txt", b"a", BOB, message_id="m9")
    await bot.say(f"send a.txt to {ROOM}")
    await bot.retract("m1")
    assert await names(bot, MINE) == []
    assert await names(bot, Scope(owner=BOB)) == ["a.txt"]
    assert await names(bot, HERE) == ["a.txt"]


async def test_a_file_that_two_messages_brought_goes_with_the_last_of_them(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("a.txt", b"a", message_id="m2")
    assert await bot.retract("m2") == []
    assert await names(bot, MINE) == ["a.txt"]
    assert len(await bot.retract("m1")) == 1


async def test_it_is_known_after_a_restart(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    async with FakeBot(catalog=bot.catalog) as again:
        assert (await again.say("info", replying_to="m1"))[0].startswith("a.txt, #1")
        assert len(await again.retract("m1")) == 1


async def test_in_a_room_only_the_same_occupant_can_retract(bot: FakeBot) -> None:
    await bot.say("room set archive on", in_room())
    anna, mallory = (in_room(None, "anna", occupant_id=each) for each in ("o1", "o2"))
    await bot.drop("a.txt", b"a", anna, message_id="s1")
    assert await names(bot, HERE) == ["a.txt"]
    assert await bot.retract("s1", mallory) == []  # with Anna's nick
    assert await bot.retract("s1", in_room(None, "anna")) == []  # nobody tells who that is
    assert await names(bot, HERE) == ["a.txt"]
    [said] = await bot.retract("s1", replace(anna, nick="ann"))
    assert said.startswith('Deleted "a.txt" (#1)')
    assert bot.messenger.sent[-1].to.kind is AddressKind.ROOM_PRIVATE
    assert await names(bot, HERE) == []


async def test_a_file_kept_by_command_goes_with_its_post(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", in_room(), message_id="s1")
    await bot.say("keep", in_room(), message_id="s2")
    assert await names(bot, HERE) == ["a.txt"]
    assert await bot.retract("s2", in_room()) == []  # the command is no file
    assert len(await bot.retract("s1", in_room())) == 1
    assert await names(bot, HERE) == []


async def test_a_moderation_is_the_rooms_alone_and_told_to_the_owner(bot: FakeBot) -> None:
    await bot.say("room set archive on", in_room())
    await bot.drop("a.txt", b"a", in_room(BOB, "bob"), message_id="s1")
    await bot.drop("b.txt", b"b", BOB, message_id="s1")
    assert await bot.moderate("s1", "other@conference.example.org") == []
    [said] = await bot.moderate("s1")
    assert said == f'Deleted "a.txt" (#1): a moderator of {ROOM} took back the message that it came by.'
    assert bot.messenger.sent[-1].to == Address(BOB)
    assert removals == [("a.txt", RemovalReason.MODERATION)]
    assert await names(bot, Scope(owner=BOB)) == ["b.txt"]


async def test_a_forged_id_of_a_client_is_not_the_rooms(bot: FakeBot) -> None:
    await bot.say("room set archive on", in_room())
    await bot.drop("a.txt", b"a", in_room(), message_id="s1")
    url = "https://files.example.org/forged/b.txt"
    bot.web.hosted[url] = HostedFile(b"b")
    forged = IncomingMessage(
        in_room(BOB, "bob"),
        "",
        offers=(Offer(urls=(url,), name="b.txt"),),
        addressed=False,
        ids=(MessageIds("s2", ("s1",)),),
    )
    await bot.receive(forged)
    await bot.moderate("s1")
    assert await names(bot, HERE) == ["b.txt"]


class HeldFile(HostedFile):
    """File of which the end does not come."""

    reached = asyncio.Event()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self.content
        self.reached.set()
        await asyncio.Event().wait()


async def test_a_file_that_is_still_coming_is_not_kept(bot: FakeBot) -> None:
    url = "https://files.example.org/held/a.txt"
    bot.web.hosted[url] = HeldFile(b"a" * 1000, size=2000)
    sender = Sender(Address(ALICE), ALICE, message_id="m1")
    coming = asyncio.create_task(
        bot.receive(
            IncomingMessage(sender, "", (Offer(urls=(url,), name="a.txt"),), ids=(MessageIds(own=("m1",)),))
        )
    )
    await HeldFile.reached.wait()
    await bot.dispatcher.receive_retraction(Retraction(Sender(Address(BOB), BOB), ("m1",)))
    assert not coming.done()
    await bot.dispatcher.receive_retraction(Retraction(sender, ("m1",)))
    assert await asyncio.wait_for(coming, 5) == []
    assert await names(bot, MINE) == []
    assert not bot.store.blobs
    assert not bot.store.partials


async def test_a_message_that_is_met_after_its_retraction_brings_nothing(bot: FakeBot) -> None:
    await bot.retract("m1")
    assert await bot.drop("a.txt", b"a", message_id="m1") == []
    assert await names(bot, MINE) == []
    assert len(await bot.drop("b.txt", b"b", message_id="m2")) == 1


async def test_a_retraction_in_the_history_of_a_room_removes_what_was_imported(bot: FakeBot) -> None:
    await bot.say("room set archive on", in_room())
    for number in range(3):
        url = f"https://files.example.org/history/{number}.txt"
        bot.web.hosted[url] = HostedFile(b"%d" % number)
    posts = [
        IncomingMessage(
            in_room(BOB, "bob"),
            "",
            (Offer(urls=(f"https://files.example.org/history/{number}.txt",), name=f"{number}.txt"),),
            addressed=False,
            delayed_since=datetime(2026, 11, 22, number, tzinfo=UTC),
            ids=(MessageIds(f"s{number}"),),
        )
        for number in range(3)
    ]
    bot.histories.posts[ROOM], bot.histories.page_size = posts, 1
    bot.histories.retractions[ROOM] = {
        1: [Retraction(in_room(BOB, "bob"), ("s0",))],
        2: [
            Retraction(in_room(ALICE), ("s1",)),
            Retraction(room_itself(ROOM).sender, ("s2",), by_room=True),
        ],
    }
    bot.rooms.with_ids.add(ROOM)
    await bot.say("archive history of 5 days", in_room())
    await bot.jobs.run()
    assert await names(bot, HERE) == ["1.txt"]


async def test_an_id_that_is_used_again_after_a_while_is_another_messages(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some clients number their messages from 1."""
    await bot.drop("a.txt", b"a", message_id="1")
    await bot.retract("1")
    assert await bot.drop("b.txt", b"b", message_id="1") == []  # its other files may still be waiting
    monkeypatch.setattr("filebot.files.retractions.LIVE_FOR_S", 0.0)
    assert await bot.drop("c.txt", b"c", message_id="1") != []
    assert await names(bot, MINE) == ["c.txt"]
