"""Automatic archive of a room: members' consent, and files from the room's history."""

import asyncio
import hashlib
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from filebot.errors import CatalogUnavailable, NoHistory, PeerGone
from filebot.model import (
    Address,
    AddressKind,
    Entry,
    HistoryImport,
    HistoryPage,
    IncomingMessage,
    Offer,
    Scope,
    Sender,
)
from filebot.plugin import PluginDatabase
from filebot.testing import FakeBot
from filebot.testing.bot import LIMITS
from filebot.testing.http import HostedFile
from filebot.testing.messenger import Said
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room
from plugins.archive import imports

ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")
REFUSED = "Only the room's owners and admins can do that."
HAL = in_room(None, "hal", occupant_id="9000")


@pytest.fixture
async def archived(bot: FakeBot) -> FakeBot:
    """A bot in a room whose archive Alice, who manages it, has switched on."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    bot.rooms.occupants[ROOM] |= HAL.identities
    bot.rooms.with_ids.add(ROOM)
    await bot.say("room set archive on", ANNA)
    return bot


def posting(bot: FakeBot, sender: Sender, name: str, content: bytes = b"") -> IncomingMessage:
    """A message in which somebody posts a file."""
    url = f"https://upload.example.org/{sender.nick}/{name}"
    bot.web.hosted[url] = HostedFile(content or name.encode())
    return IncomingMessage(sender, "see this", offers=(Offer(urls=(url,), name=name),), addressed=False)


async def post(bot: FakeBot, sender: Sender, name: str, content: bytes = b"") -> list[str]:
    return await bot.receive(posting(bot, sender, name, content))


async def kept(bot: FakeBot) -> list[Entry]:
    return await bot.catalog.page(Scope(room=ROOM), limit=50)


async def names(bot: FakeBot) -> list[str]:
    return [entry.name for entry in await kept(bot)]


async def rows(bot: FakeBot, table: str) -> list[Any]:
    """The rows of a table of the plugin."""
    query = sa.text(f"SELECT * FROM {table}")
    found: list[Any] = await bot.catalog.plugin_tables.read("archive", lambda db: db.execute(query).all())
    return found


async def begun(bot: FakeBot, history_import: HistoryImport) -> None:
    """Note an import as an earlier version did, which had no jobs."""
    database = PluginDatabase(bot.catalog.plugin_tables, "archive")
    assert await imports.begin(database, imports.Progress(history_import, 0))


async def test_who_brings_the_bot_back_asks_for_the_archive_anew(archived: FakeBot) -> None:
    await archived.say("room set max-size 1 MB", ANNA)
    await archived.say(f"leave {ROOM}", ADMIN)
    await archived.say(f"join {ROOM}", ADMIN)
    assert await post(archived, BEN, "plan.txt") == []
    assert await names(archived) == []
    (state,) = await archived.say("room", ANNA)
    assert "archive off" in state
    assert "takes files up to 1 MB" in state


async def test_nothing_is_kept_unasked_where_nobody_wanted_that(bot: FakeBot) -> None:
    assert await post(bot, BEN, "plan.txt") == []
    assert await names(bot) == []


async def test_who_posts_while_the_catalog_cannot_be_read_is_told_so(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bool:
        raise CatalogUnavailable("disk gone")

    monkeypatch.setattr(archived.catalog.plugin_tables, "read", broken)
    [told] = await post(archived, BEN, "plan.txt")
    assert "Try again in a few minutes" in told
    last = archived.messenger.sent[-1]
    assert isinstance(last, Said)
    assert last.to.kind is AddressKind.ROOM_PRIVATE


async def test_what_is_posted_is_kept_as_its_posters_without_a_word(archived: FakeBot) -> None:
    assert await post(archived, BEN, "plan.txt") == []
    assert await post(archived, HAL, "song.ogg") == []
    song, plan = await kept(archived)
    assert (plan.owner, plan.room, plan.caption, plan.auto_archived) == (BOB, ROOM, "see this", True)
    assert song.owner == f"{ROOM}/9000"
    await archived.say(f"send plan.txt to {ROOM}", ANNA)
    assert len(archived.sent) == 1


async def test_the_room_is_told_and_the_presence_says_it(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    (told,) = await bot.say("room set archive on", ANNA)
    assert "archive off for me" in told
    assert bot.rooms.followed.keys() == {ROOM}
    told, answer = await bot.say("room set archive off", through_room(ALICE, "anna"))
    assert told.startswith("From now on I only keep")
    assert "archive off" in answer
    said = [each for each in bot.messenger.sent if isinstance(each, Said)]
    assert [each.to.kind for each in said[-2:]] == [AddressKind.ROOM, AddressKind.ROOM_PRIVATE]
    assert bot.rooms.followed == {}


@pytest.mark.parametrize("sender", [BEN, in_room(None, ALICE), HAL, through_room(None, ALICE)])
async def test_only_who_manages_the_room_switches_its_archive(bot: FakeBot, sender: Sender) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    bot.rooms.occupants[ROOM] |= sender.identities
    (refused,) = await bot.say("room set archive on", sender)
    assert refused.startswith("Only the room's owners and admins can do that")
    await post(bot, BEN, "plan.txt")
    assert await names(bot) == []


@pytest.mark.parametrize("text", ["room", "room set archive on"])
async def test_whoever_names_no_room_in_a_private_chat_is_shown_how(bot: FakeBot, text: str) -> None:
    bot.rooms.occupants["team@rooms.example.org"] = frozenset({ALICE})
    bot.rooms.managers["team@rooms.example.org"] = frozenset({ALICE})
    (answer,) = await bot.say(text)
    found = re.fullmatch(
        r"Which room\? To see its settings, type: (room \S+)\nTo change one, type: (room .+)", answer
    )
    assert found is not None
    assert "archive off" in (await bot.say(found[1]))[-1]
    assert "max-size: the room takes files up to 20 MB" in (await bot.say(found[2]))[-1]


async def test_a_room_is_set_from_a_private_chat_by_those_who_are_in_it(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    told, answer = await bot.say(f"room {ROOM} set archive on", ALICE)
    assert told.startswith("From now on I keep the files")
    assert answer.startswith(f'"{ROOM}" has 0 files, 0 bytes of 20 MB.')
    assert "archive on" in (await bot.say(f"room {ROOM}", BOB))[0]
    bot.rooms.occupants[ROOM] -= {BOB}
    assert "archive" not in (await bot.say(f"room {ROOM}", BOB))[0]


@pytest.mark.parametrize("setting", ["archive", "archive maybe", "volume 11", "x" * 3000])
async def test_what_cannot_be_set_is_answered_with_what_can(bot: FakeBot, setting: str) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    (answer,) = await bot.say(f"room set {setting}", ANNA)
    assert "room set archive on" in answer
    assert bot.rooms.followed == {}


async def test_who_opts_out_has_nothing_kept_any_more_and_nothing_left(archived: FakeBot) -> None:
    for number in range(3):
        await post(archived, BEN, f"{number}.txt")
    await post(archived, ANNA, "hers.txt")
    await post(archived, BEN, "wanted.txt")
    await archived.say("keep", BEN)
    (answer,) = await archived.say("archive off for me", BEN)
    assert answer.splitlines() == [
        (
            "From now on I keep nothing that you post in this room. "
            "I deleted the 3 files of yours that I had kept."
        ),
        (
            'Files that you stored with "keep" or shared yourself are still here. '
            "To delete one, type: !rm NAME"
        ),
    ]
    await post(archived, BEN, "later.txt")
    assert await names(archived) == ["wanted.txt", "hers.txt"]
    await archived.say("archive on for me", BEN)
    await post(archived, BEN, "again.txt")
    assert await names(archived) == ["again.txt", "wanted.txt", "hers.txt"]


async def test_who_opts_out_and_has_nothing_there_hears_of_no_removal(archived: FakeBot) -> None:
    assert await archived.say("archive off for me", BEN) == [
        "From now on I keep nothing that you post in this room."
    ]


async def test_a_hidden_occupant_opts_out_and_whoever_takes_the_nick_has_not(archived: FakeBot) -> None:
    await post(archived, HAL, "song.ogg")
    await archived.say("archive off for me", through_room(None, "hal", occupant_id="9000"))
    await post(archived, replace(HAL, nick="dave"), "later.ogg")
    assert await names(archived) == []
    other = in_room(None, "hal", occupant_id="6000")
    archived.rooms.occupants[ROOM] |= other.identities
    await post(archived, other, "theirs.ogg")
    assert await names(archived) == ["theirs.ogg"]


async def test_of_whom_the_room_does_not_tell_apart_nothing_is_kept(archived: FakeBot) -> None:
    nobody = in_room(None, "hal")
    await post(archived, nobody, "song.ogg")
    assert await names(archived) == []
    for said in ("archive off for me", "archive on for me"):
        assert await archived.say(said, through_room(None, "hal")) == [
            "This room does not tell me who posts what, so I keep nothing that you post here."
        ]


@pytest.mark.parametrize("said", ["off for me", "on for me", "history of 3 days", "history off"])
async def test_whoever_names_no_room_says_it_in_one(archived: FakeBot, said: str) -> None:
    assert await archived.say(f"archive {said}", ALICE) == [
        "Which room do you mean? Type this in the room itself, or in a private message to me there."
    ]


async def test_whose_wish_cannot_be_noted_any_more_is_told_so(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.archive.wishes.MOST_OPT_OUTS", 3)
    for number in range(2):
        stranger = replace(in_room(None, "x", occupant_id=str(number)), claimed=f"{number}@evil.example")
        (answer,) = await archived.say("archive off for me", stranger)
    assert answer.startswith("I cannot save that")
    assert "I keep the files that you post here" in answer
    await archived.say("archive off for me", HAL)
    assert len(await rows(archived, "opt_outs")) == 3
    other = in_room(None, "eve", occupant_id="666")
    assert (await archived.say("archive off for me", other))[0].startswith("I cannot save that")
    # Though the list is full, people with a known address can opt out, and earlier opt-outs stay.
    for sender in (BEN, HAL):
        assert (await archived.say("archive off for me", sender))[0].startswith(
            "From now on I keep nothing"
        )
        await post(archived, sender, f"{sender.nick}.txt")
    assert await names(archived) == []
    await archived.say("archive on for me", HAL)
    (answer,) = await archived.say("archive off for me", other)
    assert answer.startswith("I cannot save that")  # Ben took the place


async def test_whom_the_operator_denies_has_nothing_kept(archived: FakeBot) -> None:
    await post(archived, in_room("mallory@example.org", "mallory"), "song.ogg")
    assert await names(archived) == []


async def test_what_is_not_kept_is_explained_to_its_poster_alone_and_once(archived: FakeBot) -> None:
    large = b"x" * (LIMITS.max_file_bytes + 1)
    (told,) = await post(archived, BEN, "large.bin", large)
    assert "large.bin" in told
    said = archived.messenger.sent[-1]
    assert isinstance(said, Said)
    assert (said.to.jid, said.to.kind) == (f"{ROOM}/ben", AddressKind.ROOM_PRIVATE)
    assert await post(archived, BEN, "large2.bin", large) == []
    assert await names(archived) == []


async def test_the_same_file_posted_again_is_one(archived: FakeBot) -> None:
    await post(archived, BEN, "plan.txt")
    await post(archived, BEN, "plan.txt")
    await post(archived, ANNA, "plan.txt")
    assert [entry.owner for entry in await kept(archived)] == [ALICE, BOB]


async def test_what_a_filebot_posts_is_not_kept(archived: FakeBot) -> None:
    await archived.receive(replace(posting(archived, BEN, "copy.txt"), by_bot=True))
    assert await names(archived) == []


async def test_link_that_the_bot_had_given_is_not_kept(archived: FakeBot) -> None:
    await archived.drop("own.txt", b"own", ALICE)
    await archived.say("get own.txt", ALICE)
    url = archived.sent[-1].url
    archived.web.hosted[url] = HostedFile(b"own")
    await archived.receive(
        IncomingMessage(BEN, "", offers=(Offer(urls=(url,), name="own.txt"),), addressed=False)
    )
    assert await names(archived) == []


async def test_copies_of_what_came_from_somebody_who_opted_out_are_not_kept(archived: FakeBot) -> None:
    await post(archived, BEN, "song.ogg", b"song")
    await archived.say("archive off for me", BEN)
    await post(archived, HAL, "copy.ogg", b"song")
    past(archived, 1, HAL)
    archived.histories.posts[ROOM] = [replace(posting(archived, HAL, "old.ogg", b"song"))]
    assert "I kept 0 files" in (await import_history(archived))[-1]
    hashed = posting(archived, HAL, "hashed.ogg", b"song")
    offer = replace(hashed.offers[0], hashes={"sha-256": hashlib.sha256(b"song").digest()})
    asked = len(archived.web.asked)
    await archived.receive(replace(hashed, offers=(offer,)))
    assert len(archived.web.asked) == asked
    assert await names(archived) == []
    assert archived.store.blobs == {}
    # An opt-out stops neither an explicit "keep" nor posts after opting in again.
    await archived.say("keep", HAL)
    await archived.say("archive on for me", BEN)
    await post(archived, BEN, "again.ogg", b"song")
    assert await names(archived) == ["again.ogg", "hashed.ogg"]


@pytest.mark.parametrize("disabled", ["archive", "room"])
async def test_consent_ends_where_nobody_could_take_it_back(archived: FakeBot, disabled: str) -> None:
    await archived.say("archive off for me", BEN)
    await begun(
        archived,
        HistoryImport(ROOM, ALICE, ANNA.address, None, archived.now - timedelta(days=3), archived.now),
    )
    async with FakeBot(catalog=archived.catalog, disabled=[disabled]) as later:
        later.rooms.managers[ROOM] = frozenset({ALICE})
        later.rooms.with_ids.add(ROOM)
        past(later, 3, HAL)
        await later.pass_time(timedelta(hours=1))
        assert later.rooms.followed == {}
        await post(later, HAL, "song.ogg")
        if disabled == "archive":
            (answer,) = await later.say("room set archive on", ANNA)
            assert answer.startswith('My operator has turned "archive" off')
            assert "room set archive" not in answer
            assert "room set retention 90 days" in answer
            assert "archive" not in (await later.say("room", ANNA))[0]
    # With the plugin back it is off until the admins want it, and who did not want it still does not.
    async with FakeBot(catalog=archived.catalog) as last:
        last.rooms.managers[ROOM] = frozenset({ALICE})
        await post(last, HAL, "song.ogg")
        assert await names(last) == []
        await last.say("room set archive on", ANNA)
        await post(last, BEN, "bens.txt")
        await post(last, HAL, "song.ogg")
        assert await names(last) == ["song.ogg"]


# --- the past -----------------------------------------------------------------------------------


def past(bot: FakeBot, count: int, sender: Sender = BEN) -> None:
    """So many files, posted one an hour until an hour ago."""
    bot.histories.posts[ROOM] = [
        replace(
            posting(bot, sender, f"{number}.txt"), delayed_since=bot.now - timedelta(hours=count - number)
        )
        for number in range(count)
    ]


async def import_history(
    bot: FakeBot, text: str = "archive history of 30 days", sender: Sender = ANNA
) -> list[str]:
    return [*await bot.say(text, sender), *await bot.jobs.run()]


async def test_files_of_the_past_are_kept_as_those_of_who_posted_them(archived: FakeBot) -> None:
    past(archived, 25)
    begins, gone = await import_history(archived)
    assert begins.startswith("I am looking through what was posted here since")
    assert gone == "Done: 25 messages checked.\nI kept 25 files."
    entries = await kept(archived)
    assert {entry.owner for entry in entries} == {BOB}
    assert len(entries) == 25
    assert await rows(archived, "fillings") == []


async def test_only_the_days_that_were_asked_for_are_looked_at(archived: FakeBot) -> None:
    past(archived, 50)
    assert "24 messages checked" in (await import_history(archived, "archive history of 1 days"))[-1]


async def test_who_opted_out_has_nothing_taken_from_the_past(archived: FakeBot) -> None:
    await archived.say("archive off for me", BEN)
    past(archived, 5)
    assert "I kept 0 files" in (await import_history(archived))[-1]
    assert await names(archived) == []


async def test_what_is_gone_by_now_is_counted(archived: FakeBot) -> None:
    past(archived, 5)
    for number in range(2):
        del archived.web.hosted[f"https://upload.example.org/ben/{number}.txt"]
    gone = (await import_history(archived))[-1]
    assert "I kept 3 files." in gone
    assert "I left out 2 files" in gone


async def test_a_restart_goes_on_where_it_was(archived: FakeBot) -> None:
    past(archived, 25)
    archived.histories.page_size = 5
    page, pages = archived.histories.page, list[str]()

    async def stops_after_two(room: str, after: str, since: datetime | None) -> HistoryPage:
        pages.append(after)
        if len(pages) == 4:  # the first only asks whether there is a history
            raise asyncio.CancelledError
        return await page(room, after, since)

    archived.histories.page = stops_after_two  # type: ignore[method-assign]
    await archived.say("archive history of 30 days", ANNA)
    archived.may_fail = True
    await archived.jobs.run()
    [row] = await rows(archived, "fillings")
    assert (row.last_id, row.messages) == ("10", 10)
    [gone] = await archived.pass_time(timedelta(minutes=1))
    assert gone.startswith("Done: 25 messages checked.")
    assert pages == ["", "", "5", "10", "10", "15", "20"]
    assert len(await kept(archived)) == 25
    assert await rows(archived, "fillings") == []


async def test_an_import_of_an_earlier_version_goes_on_by_itself(archived: FakeBot) -> None:
    past(archived, 5)
    month = archived.now - timedelta(days=30)
    await begun(
        archived,
        HistoryImport(
            ROOM, ALICE, ANNA.address, None, month, archived.now, last_id="2", messages=2, kept=1
        ),
    )
    await archived.jobs.run()
    [gone] = await archived.pass_time(timedelta(minutes=11))
    assert gone == "Done: 5 messages checked.\nI kept 4 files."
    assert await rows(archived, "fillings") == []


async def test_rooms_take_turns_and_hear_how_far_it_is(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.archive.history.TURN_S", 0.0)
    past(archived, 25)
    begins, *further, gone = await import_history(archived)
    assert begins.startswith("I am looking through")
    assert [each.split(" so far")[0] for each in further] == ["10 messages checked", "20 messages checked"]
    assert gone.startswith("Done: 25 messages checked.")
    assert await archived.jobs.count("archive") == 1  # what it does again and again


async def test_two_jobs_of_one_import_do_no_harm(archived: FakeBot) -> None:
    """A kill may come after a job has passed the import on, and before its end is noted."""
    past(archived, 25)
    await archived.say("archive history of 30 days", ANNA)
    [row] = await rows(archived, "fillings")
    database = PluginDatabase(archived.catalog.plugin_tables, "archive")
    progress = await imports.import_of(database, ROOM)
    assert progress is not None
    assert await imports.pass_on(database, progress)
    [gone] = await archived.jobs.run()
    assert gone.startswith("Done: 25 messages checked.")
    assert row.turn == progress.turn
    assert await archived.jobs.count("archive") == 1


async def test_the_state_of_the_room_says_how_far_it_is(archived: FakeBot) -> None:
    month = archived.now - timedelta(days=30)
    await begun(archived, HistoryImport(ROOM, ALICE, ANNA.address, None, month, archived.now, messages=7))
    [state] = await archived.say("room", ANNA)
    assert "I am looking through what was posted before: 7 messages so far." in state


async def test_it_goes_on_as_soon_as_the_bot_is_in_the_room_again(archived: FakeBot) -> None:
    archived.may_fail = True
    past(archived, 5)
    await archived.say("archive history of 30 days", ANNA)
    occupants = archived.rooms.occupants.pop(ROOM)
    for _ in range(3):
        assert await archived.jobs.run() == []
        await archived.pass_time(timedelta(minutes=1))
    assert await kept(archived) == []
    archived.rooms.occupants[ROOM] = occupants
    [gone] = await archived.pass_time(timedelta(minutes=1))
    assert "I kept 5 files" in gone


async def test_after_a_day_out_of_the_room_it_ends(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.archive.history.PAUSE", timedelta(minutes=20))
    past(archived, 5)
    await archived.say("archive history of 30 days", through_room(ALICE, "anna"))
    archived.rooms.occupants.pop(ROOM)
    turns = 0
    while await rows(archived, "fillings"):
        await archived.jobs.run()
        archived.now += timedelta(minutes=20)
        turns += 1
        assert turns < 200
    # A day without a page, and another one in which the room cannot be told.
    assert turns == 2 * 24 * 3 + 1
    assert await kept(archived) == []


async def test_after_a_kick_the_asker_is_told_when_the_bot_is_back(archived: FakeBot) -> None:
    past(archived, 5)
    page, asked = archived.histories.page, 0
    occupants = archived.rooms.occupants[ROOM]

    async def kicked(room: str, after: str, since: datetime | None) -> HistoryPage:
        nonlocal asked
        asked += 1
        if asked == 2:  # the first only asks whether there is a history
            archived.rooms.occupants.pop(ROOM)
        return await page(room, after, since)

    archived.histories.page = kicked  # type: ignore[method-assign]
    assert (await archived.say("archive history of 30 days", ANNA))[0].startswith("I am looking through")
    assert await archived.jobs.run() == []
    archived.rooms.occupants[ROOM] = occupants
    [said] = await archived.pass_time(timedelta(minutes=1))
    assert "I kept 5 files" in said


async def test_what_cannot_be_said_in_time_is_no_internal_error(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    archived.may_fail = True
    """In a room from which the bot was put out, what it says waits."""
    monkeypatch.setattr("filebot.plugin.listener_calls.LISTENER_LIMIT_S", 0.05)
    past(archived, 5)
    say, waits = archived.messenger.say, asyncio.Event()

    async def waiting(to: Address, text: str, **more: str | None) -> str:
        if "Done:" in text:
            await waits.wait()
        return await say(to, text, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(archived.messenger, "say", waiting)
    said = await import_history(archived)
    assert [each for each in said if not each.startswith("I am looking through")] == []
    assert "took over" in caplog.text
    assert "Traceback" not in caplog.text


async def test_past_that_cannot_be_reached_just_now_is_said_so(archived: FakeBot) -> None:
    past(archived, 5)
    archived.histories.failures = [PeerGone("put out of the room meanwhile")]
    [said] = await archived.say("archive history of 30 days", ANNA)
    assert said == "I cannot reach this room's history right now. Try again in a few minutes."


async def test_a_page_that_fails_is_asked_for_again(archived: FakeBot) -> None:
    past(archived, 5)
    archived.histories.page_size = 2
    [begins] = await archived.say("archive history of 30 days", ANNA)
    archived.histories.failures = [PeerGone("x")] * 2
    for _ in range(3):
        await archived.jobs.run()
        await archived.pass_time(timedelta(minutes=1))
    assert begins.startswith("I am looking through")
    assert len(await kept(archived)) == 5


async def test_an_archive_that_leads_nowhere_ends_it_with_words(archived: FakeBot) -> None:
    past(archived, 5)
    archived.histories.page_size = 2
    page, asked = archived.histories.page, 0

    async def leads_nowhere(room: str, after: str, since: datetime | None) -> HistoryPage:
        nonlocal asked
        asked += 1
        if asked == 3:  # the first only asks whether there is a history
            archived.histories.failures = [NoHistory(ROOM, reason="closed")]
        return await page(room, after, since)

    archived.histories.page = leads_nowhere  # type: ignore[method-assign]
    gone = (await import_history(archived))[-1]
    assert gone.startswith("I could not check everything: I had to stop after 2 messages.")
    assert len(await kept(archived)) == 2
    assert await rows(archived, "fillings") == []


async def test_an_archive_is_left_alone_between_many_pages(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.archive.history.PAGES_AT_ONCE", 2)
    past(archived, 10)
    archived.histories.page_size = 2
    await archived.say("archive history of 30 days", ANNA)
    counts = list[int]()
    for _ in range(3):
        await archived.jobs.run()
        counts.append(len(await kept(archived)))
        await archived.jobs.run()
        assert len(await kept(archived)) == counts[-1]
        await archived.pass_time(timedelta(seconds=30))
    assert counts == [4, 8, 10]


@pytest.mark.parametrize(
    ("sender", "prepare", "answer"),
    [
        (BEN, None, "Only the room's owners and admins"),
        (ANNA, "archive off", "This room's archive is off"),
        (ANNA, "no ids", "does not reliably say who posted what"),
        (ANNA, "no history", "keeps no history"),
    ],
)
async def test_why_the_past_is_not_looked_at_is_said(
    archived: FakeBot, sender: Sender, prepare: str | None, answer: str
) -> None:
    past(archived, 5)
    if prepare == "archive off":
        await archived.say("room set archive off", ANNA)
    elif prepare == "no ids":
        archived.rooms.with_ids.clear()
    elif prepare == "no history":
        archived.histories.posts.clear()
    assert answer in (await import_history(archived, sender=sender))[-1]
    assert await names(archived) == []


@pytest.mark.parametrize("days", ["0", "-1", "1e9", "999999", "ten", "٣"])
async def test_history_of_days_that_are_no_number_shows_usage(archived: FakeBot, days: str) -> None:
    assert (
        "archive history of DAYS days"
        in (await import_history(archived, f"archive history of {days} days"))[-1]
    )


async def test_looking_back_stops_when_it_is_told_to(archived: FakeBot) -> None:
    past(archived, 5)
    assert (await archived.say("archive history off", ANNA))[0].startswith("I am not looking through")
    archived.histories.page_size = 2
    pages, page = 0, archived.histories.page

    async def stands_still(room: str, after: str, since: datetime | None) -> HistoryPage:
        nonlocal pages
        pages += 1
        if pages == 3:
            await asyncio.Event().wait()
        return await page(room, after, since)

    archived.histories.page = stands_still  # type: ignore[method-assign]
    await archived.say("archive history of 30 days", ANNA)
    running = asyncio.create_task(archived.jobs.run())
    async with asyncio.timeout(5):
        while pages < 3:
            await asyncio.sleep(0)
        (stopped,) = await archived.say("archive history off", ANNA)
        await running
    assert stopped == "I stopped after 2 messages.\nI kept 2 files."
    assert await rows(archived, "fillings") == []
    assert await archived.jobs.count("archive") == 1
