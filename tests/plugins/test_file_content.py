"""Content of files for plugins: reading, adding, attaching, annotating."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from filebot.errors import EmptyFile, FileTooLarge, QuotaExceeded
from filebot.files.quota import StorageLimits
from filebot.plugin import (
    BlobCorrupt,
    Context,
    Entry,
    FileStored,
    NoSuchEntry,
    NotAllowed,
    Plugin,
    PluginError,
    PluginStoreFull,
    StorageError,
)
from filebot.plugin.file_reader import CHUNK_BYTES, MOST_READ_BYTES
from filebot.ports import MOST_ATTACHED_BYTES, MOST_ATTACHMENTS
from filebot.testing import ALICE, BOB, FakeBot, InspectorByName, in_room, open_catalog
from filebot.testing.attachments import MemoryAttachments

Do = Callable[[Context[None]], Awaitable[object]]


class Trying:
    """A plugin whose command does what a test wants, and its bot."""

    def __init__(self, name: str = "trying", *, command: str = "try") -> None:
        self.plugin = Plugin[None](
            name,
            api=1,
            needs={"files.read", "files.write", "files.annotate", "store"},
        )
        self._command = command
        self._do: Do | None = None
        self.result: object = None

        @self.plugin.command(command, usage=command)
        async def run(ctx: Context[None]) -> None:
            """Do it."""
            assert self._do is not None
            try:
                self.result = await self._do(ctx)
            except Exception as error:  # noqa: BLE001
                self.result = error

    async def does(self, bot: FakeBot, do: Do, sender: object = ALICE) -> object:
        """Return what it returns, or raised."""
        self._do, self.result = do, None
        await bot.say(self._command, sender)  # type: ignore[arg-type]
        return self.result


@pytest.fixture
def trying() -> Trying:
    return Trying()


async def the(ctx: Context[None], name: str = "a.txt") -> Entry:
    return await ctx.files.one(name)


async def test_a_file_is_read_whole_in_ranges_and_in_chunks(trying: Trying) -> None:
    data = bytes(range(256)) * 2000

    async def read(ctx: Context[None]) -> None:
        async with ctx.files.open(await the(ctx)) as file:
            assert (file.size, file.media_type) == (len(data), "text/plain")
            assert await file.read() == data
            assert await file.read(10, 5) == data[10:15]
            assert await file.read(len(data) - 3, 99) == data[-3:]
            assert await file.read(len(data), 9) == await file.read(0, 0) == b""
            chunks = [each async for each in file.chunks()]
            assert b"".join(chunks) == data
            assert max(map(len, chunks)) == CHUNK_BYTES
            assert b"".join([each async for each in file.chunks(7, 300_000)]) == data[7:300_007]
            assert [each async for each in file.chunks(len(data) + 5)] == []
            for offset, length in ((-1, 5), (0, MOST_READ_BYTES + 1), (0, -1)):
                with pytest.raises(ValueError, match="at most"):
                    await file.read(offset, length)
        with pytest.raises(ValueError, match="closed"):
            await file.read()

    async with FakeBot(trying.plugin, inspector=InspectorByName()) as bot:
        await bot.drop("a.txt", data)
        assert await trying.does(bot, read) is None


async def test_a_path_is_there_until_the_context_ends_even_if_the_file_is_removed(trying: Trying) -> None:
    async def remove_meanwhile(ctx: Context[None]) -> None:
        entry = await the(ctx)
        async with ctx.files.path(entry) as path, ctx.files.open(entry) as file:
            await ctx.files.remove(entry)
            assert path.read_bytes() == await file.read() == b"abc"
        assert not path.exists()
        for opening in (ctx.files.path(entry), ctx.files.open(entry), ctx.files.attached(entry, "x")):
            with pytest.raises(NoSuchEntry):
                async with opening:
                    pass
        with pytest.raises(NoSuchEntry):
            await ctx.files.attach(entry, "x", b"x", media_type="text/plain")
        with pytest.raises(NoSuchEntry):
            await ctx.files.annotate(entry, {"x": 1})

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, remove_meanwhile) is None
        assert bot.store.blobs == {}


async def test_a_damaged_file_is_not_read(trying: Trying) -> None:
    async def read(ctx: Context[None]) -> None:
        async with ctx.files.open(await the(ctx)):
            pass

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        [digest] = bot.store.blobs
        bot.store.blobs[digest] = b"abd"
        error = await trying.does(bot, read)
        assert isinstance(error, BlobCorrupt)
        assert error.name == "a.txt"


async def test_files_of_others_are_not_there(trying: Trying) -> None:
    kept = list[Entry]()

    async def keep(ctx: Context[None]) -> None:
        kept.append(await the(ctx))

    async def peek(ctx: Context[None]) -> None:
        async with ctx.files.open(kept[0]):
            pass

    async def write(ctx: Context[None]) -> None:
        await ctx.files.attach(kept[0], "x", b"x", media_type="text/plain")

    async def note(ctx: Context[None]) -> None:
        await ctx.files.annotate(kept[0], {"x": 1})

    async def tell(ctx: Context[None]) -> object:
        return await ctx.files.details(kept[0])

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        await trying.does(bot, keep)
        for do in (peek, write, note, tell):
            assert isinstance(await trying.does(bot, do, BOB), NoSuchEntry)
            assert not isinstance(await trying.does(bot, do), Exception)


async def test_a_file_that_a_plugin_adds_is_as_one_that_was_sent(trying: Trying) -> None:
    stored = list[FileStored]()

    @trying.plugin.on(FileStored)
    async def hear(ctx: Context[None], event: FileStored) -> None:
        stored.append(event)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one,"
        yield b"two"

    async def add(ctx: Context[None]) -> None:
        added = await ctx.files.add("list.csv", pieces(), caption="of today")
        assert (added.entry.owner, added.entry.room, added.entry.caption) == (ALICE, None, "of today")
        assert (added.entry.name, added.entry.media_type) == ("list.csv", "text/csv")
        again = await ctx.files.add("../other.csv", b"one,two")
        assert (again.already_known, again.entry.id) == (True, added.entry.id)
        async with ctx.files.open(added.entry) as file:
            assert await file.read() == b"one,two"

    async with FakeBot(trying.plugin) as bot:
        assert await trying.does(bot, add) is None
        assert [(each.entry.name, each.already_known) for each in stored] == [
            ("list.csv", False),
            ("list.csv", True),
        ]

    async def add_here(ctx: Context[None]) -> object:
        return (await ctx.files.add("here.txt", b"x", in_room=True)).entry.room

    async with FakeBot(trying.plugin) as bot:
        assert await trying.does(bot, add_here, in_room()) == in_room().room
        assert isinstance(await trying.does(bot, add_here, in_room("eve@else.org", "eve")), NotAllowed)


LIMITS = StorageLimits(50_000, 100_000, 10**6, 10**6)


@pytest.mark.parametrize("size", [0, 50_001])
async def test_a_file_that_a_plugin_adds_keeps_the_limits(trying: Trying, size: int) -> None:
    async def add(ctx: Context[None]) -> None:
        await ctx.files.add("a.bin", b"x" * size)

    async with FakeBot(trying.plugin, limits=LIMITS) as bot:
        error = await trying.does(bot, add)
        assert isinstance(error, FileTooLarge if size else EmptyFile)
        assert bot.store.blobs == {}


async def test_data_that_fails_or_are_no_bytes_leave_nothing(trying: Trying) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    async def texts() -> AsyncIterator[bytes]:
        yield "one"  # type: ignore[misc]

    async def try_all(ctx: Context[None]) -> None:
        entry = await the(ctx)
        with pytest.raises(ZeroDivisionError):
            await ctx.files.add("b.txt", failing())
        with pytest.raises(ZeroDivisionError):
            await ctx.files.attach(entry, "b", failing(), media_type="text/plain")
        for data, words in ((texts(), "gives str as a piece"), ("text", "gives str as the data")):
            with pytest.raises(PluginError, match=words):
                await ctx.files.add("b.txt", data)  # type: ignore[arg-type]
        with pytest.raises(EmptyFile):
            await ctx.files.attach(entry, "b", b"", media_type="text/plain")
        with pytest.raises(ValueError, match="name of an attachment"):
            await ctx.files.attach(entry, "", b"b", media_type="text/plain")
        assert await ctx.files.count() == 1

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, try_all) is None
        assert list(bot.store.blobs.values()) == [b"abc"]


async def content_of(ctx: Context[None], entry: Entry, name: str = "thumbnail") -> object:
    async with ctx.files.attached(entry, name) as file:
        return None if file is None else (await file.read(), file.media_type)


@pytest.mark.parametrize("on_disk", [False, True])
async def test_an_attachment_goes_with_its_file(
    trying: Trying, tmp_path_factory: pytest.TempPathFactory, *, on_disk: bool
) -> None:
    async def attach(ctx: Context[None]) -> None:
        entry = await the(ctx)
        assert await content_of(ctx, entry) is None
        await ctx.files.attach(entry, "thumbnail", b"small", media_type="image/png")
        await ctx.files.attach(entry, "thumbnail", b"smaller", media_type="image/webp")
        await ctx.files.attach(entry, "same", b"abc", media_type="text/plain")
        assert await content_of(ctx, entry) == (b"smaller", "image/webp")
        assert await ctx.files.count() == 1

    async def remove(ctx: Context[None]) -> None:
        await ctx.files.remove(await the(ctx))

    async def run(bot: FakeBot) -> None:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, attach) is None
        assert sorted(bot.store.blobs.values()) == [b"abc", b"smaller"]
        assert await bot.catalog.used_by(ALICE) == (1, 3 + 7 + 3)
        assert "a.txt" in (await bot.say("ls"))[0]
        assert await trying.does(bot, remove) is None
        assert bot.store.blobs == {}
        assert await bot.catalog.used_in_all() == (0, 0)

    if not on_disk:
        async with FakeBot(trying.plugin) as bot:
            await run(bot)
        return
    path = tmp_path_factory.mktemp("catalog") / "catalog.sqlite"
    async with open_catalog(path) as catalog, FakeBot(trying.plugin, catalog=catalog) as bot:
        await run(bot)


async def test_bytes_that_another_file_has_stay_when_an_attachment_goes(trying: Trying) -> None:
    async def attach(ctx: Context[None]) -> None:
        await ctx.files.attach(await the(ctx), "copy", b"of b", media_type="text/plain")
        await ctx.files.attach(await the(ctx, "b.txt"), "copy", b"of a", media_type="text/plain")

    async def detach(ctx: Context[None]) -> None:
        entry = await the(ctx, "b.txt")
        await ctx.files.detach(entry, "copy")
        await ctx.files.detach(entry, "copy")
        assert await content_of(ctx, entry, "copy") is None

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"of a")
        await bot.drop("b.txt", b"of b")
        await trying.does(bot, attach)
        await bot.say("rm a.txt")
        assert sorted(bot.store.blobs.values()) == [b"of a", b"of b"]
        assert await trying.does(bot, detach) is None
        assert list(bot.store.blobs.values()) == [b"of b"]


async def test_attachments_have_bounds_of_their_own_and_count_for_the_owner(trying: Trying) -> None:
    limits = StorageLimits(10**8, MOST_ATTACHED_BYTES + 100_000, 10**9, 10**9)

    async def fill(ctx: Context[None]) -> None:
        entry = await the(ctx)
        with pytest.raises(PluginStoreFull):
            await ctx.files.attach(entry, "x", b"x" * (MOST_ATTACHED_BYTES + 1), media_type="a/b")
        for number in range(MOST_ATTACHMENTS):
            await ctx.files.attach(entry, str(number), b"%d" % number, media_type="a/b")
        with pytest.raises(PluginStoreFull):
            await ctx.files.attach(entry, "one more", b"y", media_type="a/b")
        await ctx.files.attach(entry, "0", b"x" * (MOST_ATTACHED_BYTES - 50), media_type="a/b")
        with pytest.raises(QuotaExceeded):
            await ctx.files.attach(await the(ctx, "b.txt"), "0", b"y" * 200_000, media_type="a/b")
        assert await content_of(ctx, entry, "3") == (b"3", "a/b")

    async with FakeBot(trying.plugin, limits=limits) as bot:
        await bot.drop("a.txt", b"abc")
        await bot.drop("b.txt", b"abd")
        assert await trying.does(bot, fill) is None
        assert len(bot.store.blobs) == 2 + MOST_ATTACHMENTS


async def test_attachments_at_once_keep_their_bytes(trying: Trying) -> None:
    async def attach(ctx: Context[None]) -> None:
        entries = [await the(ctx, name) for name in ("a.txt", "b.txt")]
        await asyncio.gather(
            *(
                ctx.files.attach(entry, "n", b"%d" % (number % 3), media_type="a/b")
                for number in range(12)
                for entry in entries
            )
        )
        for entry in entries:
            assert await content_of(ctx, entry, "n") is not None

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        await bot.drop("b.txt", b"abd")
        assert await trying.does(bot, attach) is None
        await bot.say("rm a.txt")
        await bot.say("rm b.txt")
        assert bot.store.blobs == {}


async def test_a_file_that_is_removed_while_one_is_attached_takes_all_along(trying: Trying) -> None:
    async def attach(ctx: Context[None]) -> None:
        entry = await the(ctx)

        async def removing() -> AsyncIterator[bytes]:
            yield b"one"
            await ctx.files.remove(entry)
            yield b"two"

        with pytest.raises(NoSuchEntry):
            await ctx.files.attach(entry, "late", removing(), media_type="a/b")

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, attach) is None
        assert bot.store.blobs == {}
        assert await bot.catalog.used_in_all() == (0, 0)


async def test_an_attach_that_is_cancelled_or_fails_leaves_what_was_there(
    trying: Trying, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def attach(ctx: Context[None]) -> None:
        entry = await the(ctx)

        async def waiting() -> AsyncIterator[bytes]:
            yield b"one"
            await asyncio.Event().wait()

        await ctx.files.attach(entry, "n", b"before", media_type="a/b")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ctx.files.attach(entry, "n", waiting(), media_type="a/b")

        async def fail(_: object) -> None:
            raise StorageError("the catalog is locked")

        with monkeypatch.context() as patched:
            patched.setattr(MemoryAttachments, "attach", lambda _, new: fail(new))
            with pytest.raises(StorageError):
                await ctx.files.attach(entry, "n", b"after", media_type="a/b")
        assert await content_of(ctx, entry, "n") == (b"before", "a/b")

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, attach) is None
        assert sorted(bot.store.blobs.values()) == [b"abc", b"before"]


async def test_a_shared_file_has_neither_attachments_nor_details_of_its_own(trying: Trying) -> None:
    async def add(ctx: Context[None]) -> None:
        entry = await the(ctx)
        await ctx.files.attach(entry, "thumbnail", b"small", media_type="image/png")
        await ctx.files.annotate(entry, {"secret": True})

    async def look(ctx: Context[None]) -> object:
        entry = await the(ctx)
        return await content_of(ctx, entry), await ctx.files.details(entry)

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        await trying.does(bot, add)
        await bot.say(f"send a.txt to {in_room().room}")
        assert await trying.does(bot, look, in_room(BOB, "bob")) == (None, {})
        await bot.say("rm a.txt", in_room())
        assert await trying.does(bot, look) == ((b"small", "image/png"), {"trying": {"secret": True}})


async def test_details_are_read_by_all_plugins_and_changed_by_their_own() -> None:
    first, second = Trying("first", command="one"), Trying("second", command="two")

    async def annotate(ctx: Context[None]) -> None:
        await ctx.files.annotate(await the(ctx), {"pages": 3, "words": ["a"], "draft": True})
        await ctx.files.annotate(await the(ctx), {"pages": 4, "draft": None, "none": None})
        assert await ctx.store.entry(await the(ctx)).get("details") == {"pages": 4, "words": ["a"]}

    async def other(ctx: Context[None]) -> object:
        await ctx.files.annotate(await the(ctx), {"pages": 9})
        await ctx.store.entry(await the(ctx)).set("private", 1)
        return await ctx.files.details(await the(ctx))

    async with FakeBot(first.plugin, second.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await first.does(bot, annotate) is None
        both = {"first": {"pages": 4, "words": ["a"]}, "second": {"pages": 9}}
        assert await second.does(bot, other) == both
        catalog = bot.catalog
    async with FakeBot(second.plugin, catalog=catalog) as bot:
        assert await second.does(bot, other) == {"second": {"pages": 9}}


async def test_details_are_bounded_json(trying: Trying) -> None:
    async def annotate(ctx: Context[None]) -> None:
        entry = await the(ctx)
        await ctx.files.annotate(entry, {"a": "x" * 4000})
        for wrong in (
            {"b": "x" * 100},
            {"b": "x" * 10_000_000},
            {"b": object()},
            {1: 2},
            {"b": float("nan")},
        ):
            with pytest.raises(ValueError, match=r"details|JSON|value"):
                await ctx.files.annotate(entry, wrong)  # type: ignore[arg-type]
        assert (await ctx.files.details(entry))["trying"] == {"a": "x" * 4000}

    async with FakeBot(trying.plugin) as bot:
        await bot.drop("a.txt", b"abc")
        assert await trying.does(bot, annotate) is None
