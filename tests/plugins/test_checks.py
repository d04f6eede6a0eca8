"""Checks of plugins, in a fake bot: before a file comes or goes, and before anything else is done."""

import asyncio
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from filebot.checks.checks import Checks
from filebot.errors import PeerGone, PluginError
from filebot.files.quota import StorageLimits
from filebot.files.received import ReceivedFileChecks
from filebot.files.reservations import DISK_RESERVE_BYTES
from filebot.model import Client, IncomingMessage, Method, Negotiation, Offer, Scope
from filebot.plugin import (
    Act,
    CommandCalled,
    Context,
    Entry,
    FileOffered,
    FileReceived,
    FileRemoving,
    FileRenaming,
    FileRequested,
    FileStored,
    NoSuchEntry,
    NotAllowed,
    Plugin,
    Refusal,
    RemovalReason,
    UserError,
)
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, InspectorByName, in_room
from filebot.testing.blobs import MemoryWriter
from filebot.testing.bot import LIMITS
from filebot.testing.http import HostedFile
from filebot.testing.xmpp import FakeFileRequest, FakeStreamOffer
from tests.support.manual import example
from tests.support.virtual_time import in_virtual_time

NO = {"no": "{{ name|quoted if name else 'that' }}: no"}
FAILED = "could not be checked"
IN_BAND = {Negotiation.SI: frozenset({Method.IBB})}


def checking(act: type[Act], check: Callable[[Any], Awaitable[object]], **more: Any) -> Plugin[None]:
    """Return a plugin with one check, which sees nothing but the act."""
    plugin = Plugin[None]("gate", api=1, needs={"checks"}, templates=NO)

    async def ask(ctx: Context[None], about: Any) -> Any:
        return await check(about)

    plugin.check(act, **more)(ask)
    return plugin


def refusing(act: type[Act], *asked: list[Any]) -> Plugin[None]:
    async def refuse(about: Any) -> None:
        for each in asked:
            each.append(about)
        raise Refusal("gate/no")

    return checking(act, refuse)


def changing(act: type[Act], **changes: object) -> Plugin[None]:
    async def change(about: Any) -> object:
        return replace(about, **changes)

    return checking(act, change)


def stream(content: bytes, name: str = "a.bin") -> FakeStreamOffer:
    return FakeStreamOffer(ALICE, Offer(name=name, size=len(content)), content)


def replace_limits(**limits: int) -> StorageLimits:
    return replace(LIMITS, **limits)


async def entry(bot: FakeBot, number: int = 1) -> Entry:
    found = await bot.catalog.entry(number)
    assert found is not None
    return found


async def wait_for_a_client(bot: FakeBot) -> None:
    """Have a.txt wait for a client of Alice's."""
    bot.uploads.away = True
    await bot.say("get a.txt")
    assert bot._services.worker._queue.of(ALICE)


async def nothing_is_left(bot: FakeBot) -> bool:
    used = await bot.catalog.used_in_all()
    return used == (0, 0) and not (bot.store.blobs or bot.store.partials or bot.store._writers)


# --- files that come -----------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [FileOffered, FileReceived])
async def test_a_file_is_refused_in_the_words_of_the_plugin_whichever_way_it_comes(act: type[Act]) -> None:
    asked = list[Any]()
    async with FakeBot(refusing(act, asked)) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        assert await bot.drop("a.txt", b"some bytes") == ['"a.txt": no']
        offered = stream(b"some bytes")
        assert await bot.offer(offered) == ['"a.bin": no']
        assert bool(offered.refusals) == (act is FileOffered)
        bot.web.hosted["https://example.org/b.txt"] = HostedFile(b"some bytes")
        [said] = await bot.say("fetch https://example.org/b.txt")
        assert said.endswith(": no")
        await bot.drop("c.txt", b"some bytes", in_room())
        [said] = await bot.say("keep", in_room())
        assert said.endswith(": no")
        await bot.say("room set archive on", in_room())
        assert await bot.drop("d.txt", b"some bytes", in_room()) == ['"d.txt": no']
        assert await nothing_is_left(bot)
    assert len(asked) == 5
    assert [each.room for each in asked] == [None, None, None, ROOM, ROOM]
    assert [each.auto_archived for each in asked] == [False, False, False, False, True]
    if act is FileOffered:
        assert offered.offsets == []
        assert bot.web.asked == []
        assert [each.url is None for each in asked] == [False, True, False, False, False]


async def test_a_check_of_an_offer_sees_what_is_announced() -> None:
    asked = list[FileOffered]()
    async with FakeBot(refusing(FileOffered, asked)) as bot:
        offer = Offer(("https://example.org/x",), "a.txt", 7, "text/plain", {"sha-256": b"1"})
        await bot.receive(IncomingMessage(in_room().privately, "", offers=(offer,)))
    [act] = asked
    assert (act.name, act.size, act.media_type, act.hashes) == ("a.txt", 7, "text/plain", {"sha-256": b"1"})
    assert (act.sender.jid, act.url) == (ALICE, "https://example.org/x")


async def test_a_check_reads_the_bytes_of_a_file_piece_by_piece() -> None:
    content, read = bytes(range(256)) * 5000, list[bytes]()

    async def look(file: FileReceived) -> None:
        read.extend([await file.read(3, 1), await file.read(10_000_000), await file.read(1, 10_000_000)])
        assert file.path.read_bytes() == content
        assert (file.size, file.digest) == (len(content), hashlib.sha256(content).hexdigest())
        assert file.media_type == "text/plain"

    async with FakeBot(
        checking(FileReceived, look),
        limits=replace_limits(max_file_bytes=2_000_000),
        inspector=InspectorByName(),
    ) as bot:
        assert "Stored" in (await bot.drop("a.txt", content))[0]
    assert read == [content[1:4], content[: 1024 * 1024], b""]


async def test_two_checks_rename_a_file_in_the_order_of_their_declaration() -> None:
    plugin, later = (
        Plugin[None]("one", api=1, needs={"checks"}),
        Plugin[None]("two", api=1, needs={"checks"}),
    )

    def append(letter: str) -> Callable[[Context[None], FileReceived], Awaitable[FileReceived]]:
        async def rename(ctx: Context[None], file: FileReceived) -> FileReceived:
            return replace(file, name=f"folder/{letter}-{file.name}")

        return rename

    plugin.check(FileReceived)(append("a"))
    plugin.check(FileReceived)(append("b"))
    later.check(FileReceived)(append("c"))
    async with FakeBot(plugin, later) as bot:
        assert 'Stored "c-b-a-x.txt"' in (await bot.drop("x.txt", b"bytes"))[0]
    async with FakeBot(later, plugin) as bot:
        assert 'Stored "b-a-c-x.txt"' in (await bot.drop("x.txt", b"bytes"))[0]


async def test_a_renamed_offer_keeps_its_name_and_the_type_follows_a_new_name() -> None:
    async with FakeBot(changing(FileOffered, name="evil/../b.txt")) as bot:
        assert 'Stored "b.txt"' in (await bot.drop("a.bin", b"bytes"))[0]
    async with FakeBot(changing(FileReceived, name="b.html"), inspector=InspectorByName()) as bot:
        assert 'Stored "b.html"' in (await bot.drop("a.txt", b"bytes"))[0]
        assert (await entry(bot)).media_type == "text/html"


@pytest.mark.parametrize("as_file", [True, False])
async def test_replaced_bytes_have_a_digest_of_their_own(as_file: bool, tmp_path: Path) -> None:
    other, original, seen = b"clean" * 300_000, b"bytes with a secret", list[bytes]()

    async def clean(file: FileReceived) -> FileReceived:
        if not as_file:
            return replace(file, replacement=other)
        path = tmp_path / "clean"
        path.write_bytes(other)
        return replace(file, replacement=path)

    plugin = checking(FileReceived, clean)

    @plugin.check(FileReceived)
    async def look(ctx: Context[None], file: FileReceived) -> None:
        seen.append(await file.read(5))
        assert (file.size, file.digest) == (len(other), hashlib.sha256(other).hexdigest())
        assert file.replacement is None

    async with FakeBot(plugin, limits=replace_limits(max_file_bytes=2_000_000)) as bot:
        # The announced hash is that of the original.
        url = "https://example.org/a.txt"
        bot.web.hosted[url] = HostedFile(original)
        hashes = {"sha-256": hashlib.sha256(original).digest()}
        message = IncomingMessage(in_room().privately, "", offers=(Offer((url,), "a.txt", hashes=hashes),))
        assert "Stored" in (await bot.receive(message))[0]
        assert (await entry(bot)).blob.digest == hashlib.sha256(other).hexdigest()
        assert list(bot.store.blobs.values()) == [other]
        assert not bot.store._writers
        # Known by now, whatever comes.
        assert (await bot.drop("b.txt", b"something else"))[0].startswith("I already have that one")
        assert list(bot.store.blobs.values()) == [other]
    assert seen == [b"clean"] * 2
    assert list(tmp_path.iterdir()) == []


async def test_a_hash_that_does_not_fit_the_original_is_an_error_whatever_takes_its_place() -> None:
    async with FakeBot(changing(FileReceived, replacement=b"bytes")) as bot:
        bot.web.hosted["https://example.org/a.txt"] = HostedFile(b"other bytes")
        hashes = {"sha-256": hashlib.sha256(b"bytes").digest()}
        offer = Offer(("https://example.org/a.txt",), "a.txt", hashes=hashes)
        await bot.receive(IncomingMessage(in_room().privately, "", offers=(offer,)))
        assert await nothing_is_left(bot)


@pytest.mark.parametrize(
    ("size", "words"), [(1_000_001, "Files can be up to"), (900_000, "allowed"), (0, "empty")]
)
async def test_replaced_bytes_count_against_all_limits(size: int, words: str) -> None:
    limits = replace_limits(quota_per_user_bytes=800_000)
    async with FakeBot(changing(FileReceived, replacement=b"x" * size), limits=limits) as bot:
        [said] = await bot.drop("a.txt", b"bytes")
        assert FAILED not in said
        assert '"a.txt"' in said
        assert await nothing_is_left(bot)
        assert bot._services.files.stored.quota._holds.in_all == 0
        assert bot._services.files.stored.quota._holds.written == 0
        assert bot._services.files.stored.quota._holds.to_disk == 0


async def test_a_file_that_is_changed_in_place_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def scribble(file: FileReceived) -> None:
        file.path.write_bytes(b"other")

    async with FakeBot(checking(FileReceived, scribble, on_failure="pass")) as bot:
        assert FAILED in (await bot.drop("a.txt", b"bytes"))[0]
        assert await nothing_is_left(bot)
    assert "changed a file in place: plugin gate" in caplog.text


@pytest.mark.parametrize("kind", ["itself", "folder", "missing", "pipe", "no\0path"])
async def test_a_replacement_that_is_no_file_is_a_failure(kind: str, tmp_path: Path) -> None:
    async def replace_by(file: FileReceived) -> FileReceived:
        return replace(file, replacement=file.path if kind == "itself" else tmp_path / kind)

    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    async with FakeBot(checking(FileReceived, replace_by), may_fail=True) as bot:
        assert FAILED in (await bot.drop("a.txt", b"bytes"))[0]
        assert await nothing_is_left(bot)
    async with FakeBot(checking(FileReceived, replace_by, on_failure="pass"), may_fail=True) as bot:
        assert "Stored" in (await bot.drop("a.txt", b"bytes"))[0]
        assert list(bot.store.blobs.values()) == [b"bytes"]


@pytest.mark.parametrize("by_stream", [True, False])
async def test_who_cancels_during_a_check_leaves_nothing(by_stream: bool) -> None:
    reached = asyncio.Event()

    async def hang(file: FileReceived) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with FakeBot(checking(FileReceived, hang)) as bot:
        dropping = bot.offer(stream(b"bytes")) if by_stream else bot.drop("a.txt", b"bytes")
        task = asyncio.create_task(dropping)
        await reached.wait()
        await bot.say("cancel 1")
        await task
        assert await nothing_is_left(bot)


async def test_who_cancels_while_replaced_bytes_are_written_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, write = asyncio.Event(), MemoryWriter.write

    async def hang(writer: MemoryWriter, data: bytes) -> None:
        await write(writer, data)
        if bytes(data) == b"other":
            reached.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(MemoryWriter, "write", hang)
    async with FakeBot(changing(FileReceived, replacement=b"other")) as bot:
        task = asyncio.create_task(bot.drop("a.txt", b"bytes"))
        await reached.wait()
        await bot.say("cancel 1")
        await task
        assert await nothing_is_left(bot)


async def test_consent_that_ends_during_a_check_keeps_nothing() -> None:
    async def switch_off(file: FileReceived) -> None:
        await bot.dispatcher.receive(IncomingMessage(in_room(), "room set archive off"))

    async with FakeBot(checking(FileReceived, switch_off)) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        await bot.say("room set archive on", in_room())
        await bot.drop("a.txt", b"bytes", in_room(BOB, "bob"))
        assert await nothing_is_left(bot)


async def test_whoever_is_put_out_during_a_check_keeps_nothing_in_the_room() -> None:
    async def put_out(file: FileReceived) -> None:
        bot.rooms.occupants[ROOM] = frozenset({BOB})

    async with FakeBot(checking(FileReceived, put_out)) as bot:
        await bot.drop("a.txt", b"bytes", in_room())
        assert "not allowed to post" in (await bot.say("keep", in_room()))[0]
        assert await nothing_is_left(bot)


async def test_posters_read_each_refusal_of_the_archive_once_a_day_in_private() -> None:
    async def refuse(file: FileReceived) -> None:
        raise Refusal("gate/no" if file.name < "m" else "gate/never")

    plugin = checking(FileReceived, refuse)
    plugin.templates["never"] = "never"
    async with FakeBot(plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        await bot.say("room set archive on", in_room())
        said = [await bot.drop(name, name.encode(), in_room()) for name in ("a", "b", "x", "y")]
        assert said == [['"a": no'], [], ["never"], []]
        assert bot.messenger.sent[-1].to.jid != ROOM


async def test_files_of_a_rooms_past_are_checked() -> None:
    asked = list[FileReceived]()
    async with FakeBot(refusing(FileReceived, asked)) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        await bot.say("room set archive on", in_room())
        url = "https://upload.example.org/a.txt"
        bot.web.hosted[url] = HostedFile(b"bytes")
        bot.histories.posts[ROOM] = [
            IncomingMessage(in_room(BOB, "bob"), "", offers=(Offer((url,), "a.txt"),), addressed=False)
        ]
        await bot.say("archive history of 30 days", in_room())
        await bot.jobs.run()
        assert await nothing_is_left(bot)
    assert [(each.sender.jid, each.auto_archived) for each in asked] == [(BOB, True)]


async def test_a_file_of_two_attempts_that_is_refused_leaves_no_part() -> None:
    content = b"0123456789"
    offer = Offer(name="a.bin", size=10, hashes={"md5": hashlib.md5(content).digest()})
    async with FakeBot(refusing(FileReceived)) as bot:
        await bot.offer(FakeStreamOffer(ALICE, offer, content, resumable=True, breaks_at=4))
        assert bot.store.partials
        again = FakeStreamOffer(ALICE, offer, content, resumable=True)
        assert await bot.offer(again) == ['"a.bin": no']
        assert again.offsets == [4]
        assert await nothing_is_left(bot)


@pytest.mark.parametrize(("left", "kept"), [(1_300_000, False), (1_500_000, True)])
async def test_the_disk_has_to_hold_a_file_and_the_one_in_its_place(left: int, kept: bool) -> None:
    async with FakeBot(changing(FileReceived, replacement=b"x" * 900_000)) as bot:
        bot.store.capacity_bytes = DISK_RESERVE_BYTES + left
        [said] = await bot.drop("a.txt", b"y" * 450_000)
        assert ("Stored" in said) == kept
        assert kept or await nothing_is_left(bot)


# --- checks that fail ----------------------------------------------------------------------------------


async def fails(about: object) -> object:
    raise LookupError("oh")


async def cancels_itself(about: object) -> object:
    raise asyncio.CancelledError


async def exits(about: object) -> object:
    raise SystemExit


async def hangs(about: object) -> object:
    return await asyncio.Event().wait()


async def breaks(about: object) -> object:
    raise PeerGone("somewhere else")


async def returns_a_word(about: object) -> object:
    return "yes"


async def changes_the_sender(about: Act) -> object:
    return replace(about, language="xx", sender=in_room(BOB, "bob"))


async def renames_to_a_number(about: Any) -> object:
    return replace(about, name=7) if hasattr(about, "name") else 7


class Untold(Exception):
    def __str__(self) -> str:
        raise LookupError


async def fails_without_a_text(_: object) -> None:
    raise Untold


FAILURES = [
    fails,
    fails_without_a_text,
    breaks,
    cancels_itself,
    exits,
    hangs,
    returns_a_word,
    changes_the_sender,
    renames_to_a_number,
]


async def try_everything(bot: FakeBot) -> dict[type[Act], list[str]]:
    """Do everything that is checked, and return what was said, by what it was about."""
    dropped = await bot.drop("a.txt", b"bytes")
    said: dict[type[Act], list[str]] = {FileOffered: dropped, FileReceived: dropped}
    if not bot.store.blobs:
        return said
    said[FileRequested] = await bot.say("get a.txt")
    said[CommandCalled] = await bot.say("quota")
    said[FileRenaming] = await bot.say("mv a.txt to b.txt")
    said[FileRemoving] = await bot.say(f"rm {(await entry(bot)).name}")
    return said


ACTS = [FileOffered, FileReceived, FileRequested, FileRenaming, FileRemoving, CommandCalled]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("act", ACTS)
def test_a_check_that_fails_refuses_and_the_log_names_its_plugin(
    act: type[Act], failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @in_virtual_time
    async def run() -> None:
        async with FakeBot(checking(act, failure), may_fail=True) as bot:
            said = await try_everything(bot)
            assert FAILED in said[act][0]
            if act in {FileOffered, FileReceived}:
                assert await nothing_is_left(bot)
            elif act is FileRenaming:
                assert "a.txt" in said[FileRemoving][0]

    run()
    assert f"{act.__name__} of {ALICE} is not checked: plugin gate, check " in caplog.text
    if failure is hangs:
        assert "it took over 30 s" in caplog.text


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("act", ACTS)
def test_a_check_may_say_that_its_failure_lets_pass(
    act: type[Act], failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @in_virtual_time
    async def run() -> None:
        async with FakeBot(checking(act, failure, on_failure="pass"), may_fail=True) as bot:
            said = await try_everything(bot)
            assert "Stored" in said[FileReceived][0]
            assert bot.sent
            assert "b.txt" in said[FileRenaming][0]
            assert await nothing_is_left(bot)
            assert FAILED not in str(said)

    run()
    assert "is not checked: plugin gate, check " in caplog.text


@in_virtual_time
async def test_checks_of_one_act_share_its_time_and_a_slow_one_leaves_the_others_theirs() -> None:
    plugin, asked = Plugin[None]("slow", api=1, needs={"checks"}), list[str]()
    loop = asyncio.get_running_loop()

    @plugin.check(FileReceived, on_failure="pass")
    async def hang(ctx: Context[None], file: FileReceived) -> None:
        await asyncio.Event().wait()

    @plugin.check(FileReceived)
    async def work(ctx: Context[None], file: FileReceived) -> None:
        await asyncio.sleep(14)
        asked.append(file.name)

    async with FakeBot(plugin, may_fail=True) as bot:
        began = loop.time()
        assert "Stored" in (await bot.drop("a.txt", b"bytes"))[0]
        assert loop.time() - began == pytest.approx(29)
    assert asked == ["a.txt"]


async def test_a_refusal_without_its_template_has_words_all_the_same() -> None:
    async def refuse(file: FileReceived) -> None:
        raise Refusal("gate/missing")

    async with FakeBot(checking(FileReceived, refuse)) as bot:
        [said] = await bot.drop("a.txt", b"bytes")
        assert said.startswith('"a.txt" is refused by a rule')


async def test_a_plugins_own_error_refuses_in_its_words_with_its_values() -> None:
    class TooBlue(UserError):
        template = "paint/blue"

        def __init__(self, share: int) -> None:
            super().__init__(str(share))
            self.share = share

    plugin = Plugin[None](
        "paint",
        api=1,
        needs={"checks"},
        templates={"blue": "{{ error.share }} % blue", "so": "{{ error.values.why }}"},
    )

    @plugin.check(FileReceived)
    async def look(ctx: Context[None], file: FileReceived) -> None:
        if file.name.endswith(".txt"):
            raise TooBlue(70)
        raise Refusal("paint/so", why="just so")

    async with FakeBot(plugin) as bot:
        assert await bot.drop("a.txt", b"bytes") == ["70 % blue"]
        assert await bot.drop("a.bin", b"bytes") == ["just so"]


# --- checks that lead to themselves ---------------------------------------------------------------------


async def test_a_check_of_names_that_renames_ends_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugin = Plugin[None]("gate", api=1, needs={"checks", "files.write"})

    @plugin.check(FileRenaming)
    async def rename(ctx: Context[None], act: FileRenaming) -> None:
        await ctx.files.rename(act.entry, f"again {act.name}")

    async with FakeBot(plugin, may_fail=True) as bot:
        await bot.drop("a.txt", b"bytes")
        assert FAILED in (await bot.say("rename a.txt to b.txt"))[0]
        assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["a.txt"]
    assert "a check of plugin gate does itself what it is asked about, FileRenaming" in caplog.text


async def test_a_check_of_files_that_adds_one_ends_and_nothing_is_kept() -> None:
    plugin, asked = Plugin[None]("gate", api=1, needs={"checks", "files.write"}), list[str]()

    @plugin.check(FileReceived)
    async def add(ctx: Context[None], file: FileReceived) -> None:
        asked.append(file.name)
        await ctx.files.add("copy.txt", await file.read())

    async with FakeBot(plugin, may_fail=True) as bot:
        assert FAILED in (await bot.drop("a.txt", b"bytes"))[0]
        assert asked == ["a.txt"]
        assert (await bot.catalog.used_by(ALICE), bot.store.blobs) == ((0, 0), {})


async def test_two_checks_that_lead_to_each_other_end() -> None:
    plugin = Plugin[None]("gate", api=1, needs={"checks", "files.read", "files.write"})
    asked = Counter[type[Act]]()

    @plugin.check(FileRenaming)
    async def add(ctx: Context[None], act: FileRenaming) -> None:
        asked[FileRenaming] += 1
        await ctx.files.add("copy.txt", b"other bytes")

    @plugin.check(FileReceived)
    async def rename(ctx: Context[None], act: FileReceived) -> None:
        asked[FileReceived] += 1
        if await ctx.files.count():
            await ctx.files.rename(await ctx.files.one("a.txt"), "c.txt")

    async with FakeBot(plugin, may_fail=True) as bot:
        await bot.drop("a.txt", b"bytes")
        assert FAILED in (await bot.say("rename a.txt to b.txt"))[0]
    assert asked == {FileReceived: 2, FileRenaming: 1}


async def test_what_is_done_later_because_of_a_check_is_checked_by_it() -> None:
    plugin, asked = Plugin[None]("gate", api=1, needs={"checks", "files.write"}), list[str]()
    answered = asyncio.Event()

    @plugin.check(FileReceived)
    async def look(ctx: Context[None], file: FileReceived) -> None:
        asked.append(file.name)
        if file.name == "a.txt":
            tasks.append(asyncio.create_task(later(ctx)))

    async def later(ctx: Context[None]) -> None:
        await answered.wait()
        await ctx.files.add("later.txt", b"other bytes")

    tasks = list[asyncio.Task[None]]()
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"bytes")
        answered.set()
        await asyncio.gather(*tasks)
    assert asked == ["a.txt", "later.txt"]


# --- files that go -------------------------------------------------------------------------------------


async def test_a_file_is_refused_to_whoever_asks_by_whatever_way() -> None:
    asked = list[FileRequested]()
    async with FakeBot(refusing(FileRequested, asked)) as bot:
        await bot.drop("a.txt", b"bytes")
        for command in ("get a.txt", f"send a.txt to {BOB}", f"send a.txt to {ROOM}"):
            [said] = await bot.say(command)
            assert said.endswith(": no")
        request = FakeFileRequest(ALICE, Offer(name="a.txt"))
        await bot.dispatcher.receive_request(request)
        assert request.refusals == ["that: no"]
        assert bot.sent == []
        assert await bot.catalog.used_in(ROOM) == (0, 0)
    assert [each.to.jid.partition("/")[0] for each in asked] == [ALICE, BOB, ROOM, ALICE]


async def test_another_file_goes_in_its_place() -> None:
    plugin = Plugin[None]("redirect", api=1, needs={"checks", "files.read"})

    @plugin.check(FileRequested)
    async def choose(ctx: Context[None], request: FileRequested) -> FileRequested | None:
        if request.entry.name != "a.txt":
            return None
        return replace(request, entry=await ctx.files.one("b.txt"))

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"bytes")
        await bot.drop("b.txt", b"other bytes")
        await bot.say("get a.txt")
        await bot.say(f"send a.txt to {ROOM}")
        assert [each.entry.name for each in bot.sent] == ["b.txt", "b.txt"]
        assert [each.name for each in await bot.catalog.page(Scope(room=ROOM), limit=9)] == ["b.txt"]
        request = FakeFileRequest(ALICE, Offer(name="a.txt"))
        await bot.dispatcher.receive_request(request)
        assert request.sent == [b"other bytes"]


@pytest.mark.parametrize("way", ["get", "send", "request", "later"])
async def test_a_file_of_somebody_else_does_not_go_in_its_place(way: str) -> None:
    found = list[Entry]()

    async def choose(request: FileRequested) -> FileRequested:
        return replace(request, entry=found[0]) if found else request

    async with FakeBot(checking(FileRequested, choose)) as bot:
        await bot.drop("a.txt", b"bytes")
        await bot.drop("bobs.txt", b"private bytes", BOB)
        if way == "later":
            await wait_for_a_client(bot)
        found.append(await entry(bot, 2))
        if way == "request":
            request = FakeFileRequest(ALICE, Offer(name="a.txt"))
            await bot.dispatcher.receive_request(request)
            [said] = request.refusals
            assert 'no file called "a.txt"' in said
        elif way == "later":
            [said] = await bot.come_online(Client(f"{ALICE}/desktop", IN_BAND))
            assert 'no file called "a.txt"' in said
            assert bot.streams.received == []
        else:
            [said] = await bot.say("get a.txt" if way == "get" else f"send a.txt to {ROOM}")
            assert "bobs" not in said
        assert bot.sent == []


async def test_a_file_that_waited_is_checked_when_it_goes() -> None:
    no = list[bool]()

    async def refuse(request: FileRequested) -> None:
        if no:
            raise Refusal("gate/no")

    async with FakeBot(checking(FileRequested, refuse)) as bot:
        await bot.drop("a.txt", b"bytes")
        await wait_for_a_client(bot)
        no.append(True)
        [said] = await bot.come_online(Client(f"{ALICE}/desktop", IN_BAND))
        assert ": no" in said
        assert bot.streams.received == []
        assert bot._services.worker._queue.of(ALICE) == []


async def test_another_file_goes_in_the_place_of_one_that_waited_and_goes_once() -> None:
    other = list[Entry]()

    async def choose(request: FileRequested) -> FileRequested:
        return replace(request, entry=other[0]) if other else request

    async with FakeBot(checking(FileRequested, choose)) as bot:
        await bot.drop("a.txt", b"bytes")
        await bot.drop("b.txt", b"other bytes")
        await wait_for_a_client(bot)
        other.append(await entry(bot, 2))
        await bot.come_online(Client(f"{ALICE}/desktop", IN_BAND))
        assert [content for *_, content in bot.streams.received] == [b"other bytes"]
        assert bot._services.worker._queue.of(ALICE) == []


async def test_a_file_that_waited_is_tried_again_after_a_check_that_failed() -> None:
    broken = list[bool]()

    async def fail(request: FileRequested) -> None:
        if broken:
            raise LookupError

    async with FakeBot(checking(FileRequested, fail), may_fail=True) as bot:
        await bot.drop("a.txt", b"bytes")
        await wait_for_a_client(bot)
        broken.append(True)
        assert await bot.come_online(Client(f"{ALICE}/desktop", IN_BAND)) == []
        broken.clear()
        await bot.pass_time(timedelta(minutes=1))
        await bot.come_online(Client(f"{ALICE}/desktop", IN_BAND))
        assert [content for *_, content in bot.streams.received] == [b"bytes"]


async def test_a_check_asks_back() -> None:
    async with FakeBot(example("seal").plugin) as bot:
        await bot.drop("a.txt", b"bytes")
        await bot.drop("secret.txt", b"other bytes")
        await bot.say("get a.txt")
        assert await bot.say("get secret.txt") == ['"secret.txt" is sealed. If you mean it, type: unseal']
        assert await bot.say("unseal") == ["Ask for it now."]
        await bot.say("get secret.txt")
        assert [each.entry.name for each in bot.sent] == ["a.txt", "secret.txt"]


# --- names, removals, commands -------------------------------------------------------------------------


async def test_a_rename_is_refused_or_gets_another_name() -> None:
    async with FakeBot(refusing(FileRenaming)) as bot:
        await bot.drop("a.txt", b"bytes")
        assert (await bot.say("mv a.txt to b.txt"))[0].endswith("no")
        assert (await entry(bot)).name == "a.txt"
    async with FakeBot(changing(FileRenaming, name="../c.txt")) as bot:
        await bot.drop("a.txt", b"bytes")
        assert "c.txt" in (await bot.say("mv a.txt to b.txt"))[0]
        assert (await entry(bot)).name == "c.txt"


async def test_removals_that_people_ask_for_are_refused_and_no_others() -> None:
    asked = list[FileRemoving]()
    async with FakeBot(refusing(FileRemoving, asked)) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        await bot.drop("a.txt", b"bytes")
        assert (await bot.say("rm a.txt"))[0].endswith("no")
        await bot.say("room set archive on", in_room())
        await bot.drop("b.txt", b"other bytes", in_room(BOB, "bob"))
        assert (await bot.say("rm b.txt", in_room()))[0].endswith("no")
        assert [each.reason for each in asked] == [RemovalReason.OWNER, RemovalReason.ADMIN]
        assert await bot.catalog.used_in(ROOM) == (1, 11)
        await bot.say("archive off for me", in_room(BOB, "bob"))
        assert await bot.catalog.used_in(ROOM) == (0, 0)
        await bot.say("room set retention 1", in_room())
        await bot.drop("c.txt", b"more bytes", in_room())
        assert await bot.pass_time(timedelta(days=3)) == []
        assert await bot.catalog.used_in(ROOM) == (0, 0)
        await bot.destroy(ROOM)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("act", "command"),
    [
        (FileRenaming, "mv a.txt to b.txt"),
        (FileRemoving, "rm a.txt"),
        (FileRequested, "get a.txt"),
        (CommandCalled, "room set announce on"),
    ],
)
async def test_rights_are_asked_for_again_after_a_check(act: type[Act], command: str) -> None:
    """Alice is put out of the room while a check is asked."""
    changing_now = list[FakeBot]()

    async def put_out(_: object) -> None:
        for bot in changing_now:
            bot.rooms.managers.clear()
            bot.rooms.occupants[ROOM] = frozenset({BOB})

    async with FakeBot(checking(act, put_out)) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.with_ids.add(ROOM)
        await bot.say("room set who-may-get members", in_room())
        await bot.drop("a.txt", b"bytes", BOB)
        await bot.say(f"send a.txt to {ROOM}", BOB)
        bot.messenger.sent.clear()
        changing_now.append(bot)
        await bot.say(command, in_room())
        assert bot.sent == []
        assert (await entry(bot, 2)).name == "a.txt"


async def test_a_command_is_refused_but_never_help_and_to_nobody_who_runs_the_bot() -> None:
    asked = list[CommandCalled]()
    async with FakeBot(refusing(CommandCalled, asked)) as bot:
        await bot.drop("a.txt", b"bytes")
        assert await bot.say("get a.txt") == ["that: no"]
        assert await bot.say("quota") == ["that: no"]
        assert "get" in (await bot.say("help"))[0]
        assert "a.txt" not in (await bot.say("quota", ADMIN))[0]
        assert (await bot.say("quota", ADMIN)) != ["that: no"]
        assert bot.sent == []
    assert (asked[0].plugin, asked[0].command) == ("delivery", "get")
    assert asked[0].arguments
    assert asked[-1].sender.jid == ADMIN


async def test_a_plugin_that_refuses_everything_leaves_nobody_without_an_answer() -> None:
    plugin = Plugin[None]("gate", api=1, needs={"checks"}, templates=NO)

    async def refuse(ctx: Context[None], about: Act) -> None:
        raise NotAllowed(reason="admin")

    for act in (FileOffered, FileReceived, FileRequested, FileRemoving, FileRenaming, CommandCalled):
        plugin.check(act)(refuse)
    async with FakeBot(plugin) as bot:
        for words in (await bot.drop("a.txt", b"bytes"), await bot.say("ls"), await bot.say("quota")):
            assert words == ["Only my operator can do that."]


async def test_without_a_check_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a function of the checks is called."""

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Checks, "passed", unwanted)
    monkeypatch.setattr(ReceivedFileChecks, "passed", unwanted)
    async with FakeBot() as bot:
        assert bot._services.checks.by_act == {}
        said = await try_everything(bot)
        assert "Stored" in said[FileReceived][0]
        assert bot.sent
        assert await nothing_is_left(bot)


async def test_one_file_that_is_refused_keeps_back_no_other() -> None:
    async def refuse(request: FileRequested) -> None:
        if request.entry.name == "a.txt":
            raise LookupError if request.sender.jid == BOB else Refusal("gate/no")
        if request.entry.name == "c.txt":
            raise Refusal("gate/never")

    plugin = checking(FileRequested, refuse)
    plugin.templates["never"] = "never"
    async with FakeBot(plugin, may_fail=True) as bot:
        for who in (ALICE, BOB):
            for name in ("a.txt", "b.txt", "c.txt"):
                await bot.drop(name, name.encode(), who)
            said = await bot.say("get *.txt", who)
            assert any((FAILED if who == BOB else '"a.txt": no') in each for each in said)
            assert "never" in said
        assert [each.entry.name for each in bot.sent] == ["b.txt", "b.txt"]


# --- declarations --------------------------------------------------------------------------------------


async def async_check(ctx: Context[None], about: Any) -> None:
    """Do nothing."""


def plain_check(ctx: Context[None], about: Any) -> None:
    """Do nothing."""


async def lonely_check(ctx: Context[None]) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("act", "function", "on_failure", "words"),
    [
        (Entry, async_check, "refuse", "is none of FileOffered, FileReceived"),
        (Act, async_check, "refuse", "is none of FileOffered, FileReceived"),
        (FileStored, async_check, "refuse", r"something was done is an event: @plugin.on\(FileStored\)"),
        (FileOffered, plain_check, "refuse", "'plain_check' of plugin 'gate' .* write async def"),
        (FileOffered, lonely_check, "refuse", r"but: .*; write lonely_check\(ctx, act\)"),
        (FileOffered, async_check, "warn", 'on_failure=\'warn\'; write "refuse" or "pass"'),
    ],
)
def test_mistakes_in_declarations_are_found_at_load(
    act: Any, function: Any, on_failure: Any, words: str
) -> None:
    with pytest.raises(PluginError, match=words):
        Plugin[None]("gate", api=1, needs={"checks"}).check(act, on_failure=on_failure)(function)


async def test_a_check_has_only_what_its_plugin_declared() -> None:
    plugin = Plugin[None]("gate", api=1, needs={"checks"})

    @plugin.check(FileReceived)
    async def count(ctx: Context[None], file: FileReceived) -> None:
        await ctx.files.count()

    with pytest.raises(PluginError, match=r'needs "files.read", which is not declared'):
        FakeBot(plugin)


async def test_an_error_of_the_bots_own_refuses_as_well(caplog: pytest.LogCaptureFixture) -> None:
    async def look(file: FileReceived) -> None:
        raise NoSuchEntry("the list")

    with caplog.at_level(logging.INFO):
        async with FakeBot(checking(FileReceived, look)) as bot:
            assert "the list" in (await bot.drop("a.txt", b"bytes"))[0]
    assert f"a check of plugin gate refuses FileReceived of {ALICE}: NoSuchEntry: the list" in caplog.text
