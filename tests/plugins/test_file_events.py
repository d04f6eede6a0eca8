"""Each change of a file is told once, by whoever and why ever it is made, and recorded together with it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from types import FunctionType
from typing import Any, Final

import pytest
import sqlalchemy as sa

from filebot.catalog.catalog import SqlCatalog
from filebot.chat.event_recorder import EventRecorder
from filebot.errors import StorageError
from filebot.files import handover
from filebot.model import IncomingMessage, Offer, Scope
from filebot.plugin import (
    CaptionChanged,
    Context,
    Event,
    FileAutoArchived,
    FileRemoved,
    FileRenamed,
    FileShared,
    FileStored,
    OwnerChanged,
    Plugin,
    RemovalReason,
)
from filebot.ports import Catalog
from filebot.rooms import destroyed_rooms
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room
from filebot.testing.xmpp import FakeStreamOffer
from plugins.archive.tables import opt_outs
from tests.support.waiting import loop_turns

FILE_EVENTS: Final = (
    *(FileStored, FileAutoArchived, FileShared, FileRenamed, CaptionChanged),
    *(OwnerChanged, FileRemoved),
)
HAL: Final = in_room(None, "hal", occupant_id="9000")

Told = tuple[object, ...]
"""Class, name of the file, and the reason of a removal or who owned it before."""


class EventCase:
    """A bot whose events of files are written down."""

    def __init__(self, bot: FakeBot, told: list[Told], durably: list[Told]) -> None:
        self.bot = bot
        self.told = told
        self.durably = durably

    async def does(self, act: Awaitable[object]) -> list[Told]:
        """Do something and return what was told of files then; durable listeners must hear the same."""
        await self.bot.jobs.run()
        self.told.clear()
        self.durably.clear()
        await act
        await self.bot.jobs.run()
        assert sorted(map(str, self.durably)) == sorted(map(str, self.told))
        return list(self.told)

    async def keep_what_is_posted(self) -> None:
        await self.bot.say("room set archive on", in_room(ALICE))

    async def has_five_files_of_hal(self) -> None:
        for name in "abcde":
            await self.bot.drop(f"{name}.txt", name.encode(), HAL)
            await self.bot.say("keep", HAL)


def told(event: Event) -> Told:
    match event:
        case FileRemoved():
            return type(event), event.entry.name, event.reason
        case OwnerChanged():
            return type(event), event.entry.name, event.former_owner, event.former_room
        case FileStored():
            return type(event), event.entry.name, event.already_known
        case FileAutoArchived() | FileShared() | FileRenamed() | CaptionChanged():
            return type(event), event.entry.name
        case _:
            raise AssertionError(event)


@pytest.fixture
async def case(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EventCase]:
    heard, durably = list[Told](), list[Told]()
    watcher = Plugin[None]("watcher", api=1)

    @watcher.on(Event)
    async def hear(_: Context[None], event: Event) -> None:
        if isinstance(event, FILE_EVENTS):
            heard.append(told(event))

    for each in FILE_EVENTS:

        @watcher.on(each, durable=True)
        async def hear_durably(_: Context[None], event: Event) -> None:
            durably.append(told(event))

    async def record(self: EventRecorder, event: Event) -> None:
        # Only of a file that was there already; all others have to come with the change.
        if isinstance(event, FILE_EVENTS):
            assert isinstance(event, FileStored)
            assert event.already_known
            assert not event.entry.auto_archived
        await recorded(self, event)

    recorded = EventRecorder.record
    monkeypatch.setattr(EventRecorder, "record", record)
    monkeypatch.setattr(handover, "HAND_OVER_BATCH", 2)
    monkeypatch.setattr(destroyed_rooms, "RELEASE_BATCH", 2)
    async with FakeBot(watcher) as bot:
        bot.rooms.occupants[ROOM] |= HAL.identities
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        yield EventCase(bot, heard, durably)


# --- new rows -----------------------------------------------------------------------------------


async def test_a_dropped_file_is_told_once(case: EventCase) -> None:
    assert await case.does(case.bot.drop("a.txt", b"a")) == [(FileStored, "a.txt", False)]
    assert await case.does(case.bot.drop("b.txt", b"a")) == [(FileStored, "a.txt", True)]


async def test_a_fetched_file_is_told_once(case: EventCase) -> None:
    case.bot.web.hosted["https://example.org/a.txt"] = HostedFile(b"a")
    assert await case.does(case.bot.say("fetch https://example.org/a.txt")) == [
        (FileStored, "a.txt", False)
    ]


async def test_a_file_by_a_stream_is_told_once(case: EventCase) -> None:
    stream = FakeStreamOffer(ALICE, Offer(name="a.txt", size=1), b"a")
    assert await case.does(case.bot.offer(stream)) == [(FileStored, "a.txt", False)]


async def test_a_file_that_is_kept_in_a_room_is_told_once(case: EventCase) -> None:
    await case.bot.drop("a.txt", b"a", in_room(BOB))
    assert await case.does(case.bot.say("keep", in_room(BOB))) == [(FileStored, "a.txt", False)]


async def test_a_posted_file_that_is_kept_unasked_is_told_once(case: EventCase) -> None:
    await case.keep_what_is_posted()
    assert await case.does(case.bot.drop("a.txt", b"a", in_room(BOB))) == [(FileAutoArchived, "a.txt")]
    assert await case.does(case.bot.drop("b.txt", b"a", in_room(BOB))) == []


async def test_files_of_a_history_are_told_once_each(case: EventCase) -> None:
    bot = case.bot
    await case.keep_what_is_posted()
    posts = []
    for name in "abc":
        url = f"https://files.example.org/{name}.txt"
        bot.web.hosted[url] = HostedFile(name.encode())
        offer = Offer(urls=(url,), name=f"{name}.txt")
        posts.append(IncomingMessage(in_room(BOB), "", (offer,), addressed=False, delayed_since=bot.now))
    bot.histories.posts[ROOM] = posts
    bot.rooms.with_ids.add(ROOM)

    async def import_history() -> None:
        await bot.say("archive history of 9 days", in_room(ALICE))
        await bot.jobs.run()

    assert sorted(await case.does(import_history()), key=str) == [
        (FileAutoArchived, f"{name}.txt") for name in "abc"
    ]


async def test_a_shared_file_is_told_once(case: EventCase) -> None:
    await case.bot.drop("a.txt", b"a")
    send = f"send a.txt to {ROOM}"
    assert await case.does(case.bot.say(send)) == [(FileShared, "a.txt")]
    assert await case.does(case.bot.say(send)) == []


async def test_a_refused_file_is_not_told(case: EventCase) -> None:
    assert await case.does(case.bot.drop("empty.txt", b"")) == []
    assert await case.does(case.bot.drop("huge.txt", b"x" * 1_000_001)) == []


async def test_an_adopted_file_is_told_once(case: EventCase) -> None:
    await case.keep_what_is_posted()
    await case.bot.drop("a.txt", b"a", in_room(BOB))
    assert await case.does(case.bot.say("keep", in_room(BOB))) == [(FileStored, "a.txt", True)]


# --- changed rows -------------------------------------------------------------------------------


async def test_a_renamed_file_is_told_once(case: EventCase) -> None:
    await case.bot.drop("a.txt", b"a")
    assert await case.does(case.bot.say("rename a.txt to b.txt")) == [(FileRenamed, "b.txt")]
    assert await case.does(case.bot.say("rename a.txt to b.txt")) == []


async def test_a_corrected_caption_is_told_once(case: EventCase) -> None:
    await case.bot.drop("a.txt", b"a", caption="tee", message_id="m1")
    for told in [(CaptionChanged, "a.txt")], []:
        assert await case.does(case.bot.say("tea", message_id="m2", correcting="m1")) == told


async def test_claimed_files_are_told_once_each(case: EventCase) -> None:
    await case.has_five_files_of_hal()
    (code,) = await case.bot.say("claim", through_room(None, "hal", occupant_id="9000"))
    code = next(word.strip("`.") for word in code.split() if len(word.strip("`.")) == 9 and "-" in word)
    assert await case.does(case.bot.say(f"claim {code}", BOB)) == [
        (OwnerChanged, f"{name}.txt", HAL.identity, ROOM) for name in "abcde"
    ]


async def test_files_of_a_destroyed_room_are_told_once_each(case: EventCase) -> None:
    for name in "abc":
        await case.bot.drop(f"{name}.txt", name.encode(), in_room(BOB))
        await case.bot.say("keep", in_room(BOB))
    await case.bot.drop("both.txt", b"both", ALICE)
    await case.bot.say(f"send both.txt to {ROOM}", ALICE)
    assert await case.does(case.bot.destroy(ROOM)) == [
        *[(OwnerChanged, f"{name}.txt", BOB, ROOM) for name in "abc"],
        (FileRemoved, "both.txt", RemovalReason.ROOM_DESTROYED),
    ]


# --- removed rows -------------------------------------------------------------------------------


async def test_a_file_that_its_owner_removes_is_told_once(case: EventCase) -> None:
    await case.bot.drop("a.txt", b"a")
    assert await case.does(case.bot.say("rm a.txt")) == [(FileRemoved, "a.txt", RemovalReason.OWNER)]
    assert await case.does(case.bot.say("rm a.txt")) == []


@pytest.mark.parametrize("admin", [in_room(ALICE), in_room(ADMIN, "admin")])
async def test_a_file_that_an_admin_removes_is_told_once(case: EventCase, admin: Any) -> None:
    await case.bot.drop("a.txt", b"a", in_room(BOB))
    await case.bot.say("keep", in_room(BOB))
    assert await case.does(case.bot.say("rm a.txt", admin)) == [(FileRemoved, "a.txt", RemovalReason.ADMIN)]


async def test_files_that_are_too_old_are_told_once_each(case: EventCase) -> None:
    await case.keep_what_is_posted()
    await case.bot.say("room set retention 1", in_room(ALICE))
    for name in "abc":
        await case.bot.drop(f"{name}.txt", name.encode(), in_room(BOB))

    async def two_days_pass() -> None:
        await case.bot.pass_time(timedelta(days=2))

    assert await case.does(two_days_pass()) == [
        (FileRemoved, f"{name}.txt", RemovalReason.RETENTION) for name in "abc"
    ]


async def test_files_that_go_with_an_opt_out_are_told_once_each(case: EventCase) -> None:
    await case.keep_what_is_posted()
    for name in "abc":
        await case.bot.drop(f"{name}.txt", name.encode(), in_room(BOB))
    assert sorted(await case.does(case.bot.say("archive off for me", in_room(BOB))), key=str) == [
        (FileRemoved, f"{name}.txt", RemovalReason.OPT_OUT) for name in "abc"
    ]


@pytest.mark.parametrize(
    ("act", "sender", "reason"),
    [
        ("archive off for me", in_room(BOB), RemovalReason.OPT_OUT),
        ("room set archive off", in_room(ALICE), RemovalReason.ARCHIVE_OFF),
    ],
)
async def test_a_file_that_was_withdrawn_while_it_came_is_told_twice(
    case: EventCase, monkeypatch: pytest.MonkeyPatch, act: str, sender: Any, reason: RemovalReason
) -> None:
    await case.keep_what_is_posted()
    bot, add = case.bot, case.bot.catalog.add

    async def withdraw(*args: Any, **values: Any) -> Any:
        monkeypatch.undo()
        entry = await add(*args, **values)
        settings = bot._services.room_settings
        if reason is RemovalReason.ARCHIVE_OFF:
            await settings.change(ROOM, "archive off")
        else:
            out = sa.insert(opt_outs).values(room=ROOM, person=BOB)
            await bot.catalog.plugin_tables.write("archive", lambda db: db.execute(out) and None)
        return entry

    monkeypatch.setattr(bot.catalog, "add", withdraw)
    assert await case.does(bot.drop("a.txt", b"a", in_room(BOB))) == [
        (FileAutoArchived, "a.txt"),
        (FileRemoved, "a.txt", reason),
    ]
    assert await bot.catalog.count(Scope(room=ROOM)) == 0


async def test_files_of_unknown_people_go_with_their_room_and_are_told(case: EventCase) -> None:
    await case.has_five_files_of_hal()
    assert await case.does(case.bot.destroy(ROOM)) == [
        *[(OwnerChanged, f"{name}.txt", HAL.identity, ROOM) for name in "abcde"],
        *[(FileRemoved, f"{name}.txt", RemovalReason.ROOM_DESTROYED) for name in "abcde"],
    ]


# --- a stop of the bot ----------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("method", "says", "event"),
    [
        ("add", None, FileStored),
        ("add", f"send old.txt to {ROOM}", FileShared),
        ("rename", "rename old.txt new.txt", FileRenamed),
        ("remove", "rm old.txt", FileRemoved),
    ],
)
async def test_a_change_that_is_cancelled_at_its_write_is_told_if_it_is_made(
    case: EventCase,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    says: str | None,
    event: type[Event],
    *,
    fails: bool,
) -> None:
    await case.does(case.bot.drop("old.txt", b"old"))
    case.told.clear()
    case.durably.clear()
    writing, go_on, written = asyncio.Event(), asyncio.Event(), False
    write = getattr(case.bot.catalog, method)

    async def slowly(*args: Any, **values: Any) -> Any:
        nonlocal written
        writing.set()
        await go_on.wait()
        if fails:
            raise StorageError("the disk is gone")
        written = True
        return await write(*args, **values)

    monkeypatch.setattr(case.bot.catalog, method, slowly)
    act = case.bot.drop("new.txt", b"new") if says is None else case.bot.say(says)
    acting = asyncio.create_task(act)
    await writing.wait()
    closing = asyncio.create_task(case.bot.dispatcher.close(timeout_s=0))
    await loop_turns()
    assert not closing.done()
    go_on.set()
    await closing
    await asyncio.gather(acting, return_exceptions=True)
    assert written is not fails
    await case.bot.jobs.run()
    assert [kind for kind, *_ in case.told] == ([] if fails else [event])
    assert case.durably == case.told


# --- completeness -------------------------------------------------------------------------------

CASES: Final[dict[str, Callable[..., object]]] = {
    "add": test_a_dropped_file_is_told_once,
    "adopt": test_an_adopted_file_is_told_once,
    "rename": test_a_renamed_file_is_told_once,
    "set_caption": test_a_corrected_caption_is_told_once,
    "remove": test_a_file_that_its_owner_removes_is_told_once,
    "hand_over": test_claimed_files_are_told_once_each,
    "release": test_files_of_a_destroyed_room_are_told_once_each,
}
"""By method of a port that changes files: a test of its event."""

NO_FILES: Final = frozenset(
    {
        *("save_link", "forget_links", "set_language"),
        *("add_delivery", "count_tries", "remove_delivery"),
        *("note_destroyed_room", "forget_destroyed_room"),
        *("remember_room", "forget_room", "clear_room", "save_room_setting"),
        *("save_position", "forget_position", "note_source"),
        *("keep_subscription", "forget_subscription"),
        "set_weight",
    }
)
"""Methods that write, but nothing of a file that plugins hear of."""


def writing_methods() -> Iterator[str]:
    """Methods of the catalog's ports that reach its writer."""
    functions = {name: each for name, each in vars(SqlCatalog).items() if isinstance(each, FunctionType)}

    def writes(name: str) -> bool:
        used = functions[name].__code__.co_names
        return "_writer" in used or any(writes(each) for each in used if each in functions and each != name)

    for name, _ in inspect.getmembers(Catalog, inspect.isfunction):
        if not name.startswith("_") and writes(name):
            yield name


def test_every_writing_method_of_the_catalog_has_a_case() -> None:
    writing = set(writing_methods())
    assert {"add", "remove", "set_language"} <= writing
    assert "page" not in writing
    assert writing == set(CASES) | NO_FILES
    assert not set(CASES) & NO_FILES


@pytest.mark.parametrize("method", sorted(CASES))
async def test_the_case_of_a_method_calls_it_with_an_outbox(
    case: EventCase, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    outboxes, write = list[object](), getattr(case.bot.catalog, method)

    async def noted(*args: Any, **values: Any) -> Any:
        outboxes.append(values.get("outbox"))
        return await write(*args, **values)

    monkeypatch.setattr(case.bot.catalog, method, noted)
    outcome = CASES[method](case)
    assert isinstance(outcome, Awaitable)
    await outcome
    assert outboxes
    assert None not in outboxes
