"""Filters and resolvers of plugins, from the side of people and of authors."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy as sa

from filebot.plugin import (
    Between,
    Context,
    Duration,
    Entry,
    EntryFilter,
    FileStored,
    Jid,
    Plugin,
    PluginError,
    Room,
    UserError,
)
from filebot.plugin import finding as finding_module
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, open_catalog
from tests.support.manual import example


def tagging(name: str = "tagging") -> Plugin[None]:
    plugin = Plugin[None](name, api=1, needs={"files.read", "store"})

    @plugin.command("label", usage="label FILE as WORD")
    async def label(ctx: Context[None], file: Entry, word: str) -> None:
        """Label it."""
        await ctx.store.entry(file).set(f"label {word}", 1)

    @plugin.filter("label")
    async def having(ctx: Context[None], word: str) -> EntryFilter:
        return ctx.store.having(f"label {word}")

    return plugin


@pytest.fixture(params=["memory", "database"])
async def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A bot with labelled files of two people and a room."""

    async def fill(bot: FakeBot) -> None:
        for number in range(12):
            await bot.drop(f"report {number}.txt", b"%d" % number)
            if number % 2:
                await bot.say(f"label #{number + 1} as odd")
        await bot.say("label #1 as red")
        await bot.say("label #2 as red")
        await bot.drop("bobs report.txt", b"bob", BOB)
        await bot.say("label #13 as odd", BOB)
        await bot.say(f"send #2 to {ROOM}")

    if request.param == "memory":
        async with FakeBot(tagging()) as bot:
            await fill(bot)
            yield bot
        return
    async with (
        open_catalog(tmp_path / "catalog.sqlite") as catalog,
        FakeBot(tagging(), catalog=catalog) as bot,
    ):
        await fill(bot)
        yield bot


async def test_in_a_room_a_resolver_brings_up_nothing_private() -> None:
    plugin, known = Plugin[None]("latest", api=1), dict[str, Entry]()

    @plugin.on(FileStored)
    async def note(ctx: Context[None], event: FileStored) -> None:
        known["latest"] = event.entry

    @plugin.resolver
    async def resolve(ctx: Context[None], name: str) -> Entry | None:
        return known.get(name)

    async with FakeBot(plugin) as bot:
        await bot.drop("salary.pdf", b"1")
        for command in ("info latest", "rename latest x", "rm latest"):
            assert (await bot.say(command, in_room()))[0].startswith('I have no file called "latest"')
        assert (await bot.say("info latest"))[0].startswith("salary.pdf")
        assert await bot.say("get latest", in_room()) == []
        assert [each.to.jid for each in bot.sent] == [f"{ROOM}/alice"]


async def found(bot: FakeBot, text: str, sender: Any = ALICE) -> list[str]:
    [said] = await bot.say(text, sender)
    return [each.split(".txt")[0].rpartition(" ")[2] for each in said.splitlines() if ".txt" in each]


async def test_a_filter_finds_files_with_words_other_filters_and_in_pages(filled: FakeBot) -> None:
    assert await found(filled, "find label:red") == ["1", "0"]
    assert await found(filled, "find LABEL:red label:odd") == ["1"]
    assert await found(filled, "find label:odd report 7") == ["7"]
    assert await found(filled, "find report label:odd 1") == ["11", "1"]
    assert await found(filled, "find label:none") == []
    assert await found(filled, "find label:odd") == ["11", "9", "7", "5", "3", "1"]


async def test_a_long_list_goes_on_with_its_filter(filled: FakeBot) -> None:
    for number in range(12):
        await filled.say(f"label #{number + 1} as all")
    assert len(await found(filled, "find label:all")) == 10
    assert await found(filled, "more") == ["1", "0"]


async def test_a_filter_shows_nobody_the_files_of_others(filled: FakeBot) -> None:
    assert await found(filled, "find label:odd", BOB) == ["report"]
    assert await found(filled, "find label:odd", in_room()) == []
    await filled.say("label #14 as odd", in_room())
    assert await found(filled, "find label:odd", in_room(BOB, "bob")) == ["1"]


async def test_words_with_an_unknown_filter_are_words(filled: FakeBot) -> None:
    await filled.drop("re:port.txt", b"colon")
    assert await found(filled, "find re:port") == ["re:port"]
    assert "No file matches" in (await filled.say("find label:"))[0]
    [said] = await filled.say("find " + " ".join(f"label:{number}" for number in range(9)))
    assert "find WORDS" in said


@pytest.mark.parametrize("few", [0, 10_000])
async def test_a_filter_may_ask_tables_of_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("filebot.catalog.filters.FEW", few)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "0001.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '0001', None\n"
        "def upgrade():\n    op.create_table('own_rows', sa.Column('entry_id', sa.Integer,"
        " sa.ForeignKey('entries.id', ondelete='CASCADE')), sa.Column('word', sa.Text))\n"
        "    op.create_index('own_rows_word', 'own_rows', ['word', 'entry_id'])\n"
    )
    plugin = Plugin[None]("own", api=1, needs={"files.read", "db"}, migrations=tmp_path / "own")
    rows = sa.table("own_rows", sa.column("entry_id", sa.Integer), sa.column("word", sa.Text))

    @plugin.command("word", usage="word FILE WORD")
    async def note(ctx: Context[None], file: Entry, word: str) -> None:
        """Note it."""
        await ctx.db.write(lambda db: db.execute(sa.insert(rows).values(entry_id=file.id, word=word)))

    @plugin.filter("word")
    async def having(ctx: Context[None], word: str) -> EntryFilter:
        if word == "wrong":
            return await ctx.db.having(sa.select(sa.table("nothing", sa.column("entry_id"))))
        if word == "wide":
            return await ctx.db.having(sa.select(rows))
        found = sa.select(rows.c.entry_id).where(rows.c.word == word)
        return await ctx.db.having(found.union_all(found) if word == "twice" else found)

    async with (
        open_catalog(tmp_path / "catalog.sqlite") as catalog,
        FakeBot(plugin, catalog=catalog, may_fail=True) as bot,
    ):
        for name in "abc":
            await bot.drop(f"{name}.txt", name.encode())
        await bot.say("word a.txt red")
        await bot.say("word a.txt red")
        await bot.say("word c.txt red")
        await bot.say("word b.txt twice")
        assert await found(bot, "find word:red") == ["c", "a"]
        assert await found(bot, "find word:red a.t") == ["a"]
        assert await found(bot, "find word:twice") == ["b"]
        for wrong in ("wrong", "wide"):
            assert "Something went wrong" in (await bot.say(f"find word:{wrong}"))[0]
        assert await found(bot, "find a.txt") != []


async def test_a_value_of_a_filter_is_typed_and_a_wrong_one_explained() -> None:
    plugin, given = Plugin[None]("typed", api=1, needs={"store"}), list[object]()

    class Unfit(UserError):
        template = "typed/unfit"

    plugin.templates["unfit"] = "Not so many."

    @plugin.filter("stars")
    async def stars(ctx: Context[None], number: Annotated[int, Between(1, 5)]) -> EntryFilter:
        given.append(number)
        if number == 4:
            raise Unfit
        return ctx.store.having("stars", number)

    @plugin.filter("age")
    async def age(ctx: Context[None], span: Duration) -> EntryFilter:
        given.append(span)
        return ctx.store.having("age")

    async with FakeBot(plugin) as bot:
        await bot.say("find stars:3 age:2d")
        assert given == [3, timedelta(days=2)]
        [said] = await bot.say("find stars:6")
        assert said.startswith('"6" does not work. For NUMBER, type a number from 1 to 5.')
        assert "find stars:NUMBER" in said
        assert (await bot.say("find age:old"))[0].startswith('"old" is not a length of time.')
        assert await bot.say("find stars:4") == ["Not so many."]


Handler = Callable[..., Awaitable[Any]]


async def raises(ctx: Context[None], value: str) -> Any:
    raise ZeroDivisionError


async def hangs(ctx: Context[None], value: str) -> Any:
    await asyncio.Event().wait()


async def ends(ctx: Context[None], value: str) -> Any:
    raise SystemExit


async def lies(ctx: Context[None], value: str) -> Any:
    return 42


@pytest.mark.parametrize("handler", [raises, hangs, ends, lies])
async def test_a_filter_or_resolver_that_fails_is_named_and_costs_itself_alone(
    handler: Handler, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding_module, "FIND_LIMIT_S", 0.05)
    plugin, other = Plugin[None]("broken", api=1), Plugin[None]("sound", api=1, needs={"files.read"})
    plugin.filter("broken")(handler)
    plugin.resolver(handler)

    @other.resolver
    async def knows(ctx: Context[None], wanted: str) -> Entry | None:
        return await ctx.files.one("a.txt") if wanted == "mine" else None

    async with FakeBot(plugin, other, may_fail=True) as bot:
        await bot.drop("a.txt", b"a")
        assert "Something went wrong" in (await bot.say("find broken:1"))[0]
        assert "filter 'broken' of plugin 'broken'" in caplog.text
        caplog.clear()
        assert "a.txt" in (await bot.say("info mine"))[0]
        assert f"plugin broken, resolver {handler.__name__!r}, " in caplog.text
        assert "a.txt" in (await bot.say("info a.txt"))[0]
        assert "no file called" in (await bot.say("info other"))[0]


async def test_a_resolver_is_asked_only_for_what_is_no_name_and_never_shows_more(tmp_path: Path) -> None:
    plugin, asked = Plugin[None]("at", api=1, needs={"files.read"}), list[str]()
    theirs = list[Entry]()

    @plugin.resolver
    async def at(ctx: Context[None], wanted: str) -> Entry | None:
        asked.append(wanted)
        if wanted == "theirs":
            return theirs[0]
        name, sign, _ = wanted.partition("@")
        if name == "strange":
            raise NoVersion
        return await ctx.files.one(name) if sign else None

    class NoVersion(UserError):
        template = "at/none"

    plugin.templates["none"] = "There is no such version."

    @plugin.command("take", usage="take FILE")
    async def take(ctx: Context[None], file: Entry) -> None:
        """Take it."""
        theirs.append(file)

    async with FakeBot(plugin) as bot:
        await bot.drop("report.pdf", b"a")
        await bot.drop("bobs.pdf", b"b", BOB)
        await bot.say("take bobs.pdf", BOB)
        await bot.say("info report.pdf")
        await bot.say("info #1")
        assert asked == []
        assert "report.pdf" in (await bot.say("info report.pdf@1"))[0]
        assert asked == ["report.pdf@1"]
        assert "report.pdf" in (await bot.say("info report"))[0]  # its beginning
        assert "no file called" in (await bot.say("info theirs"))[0]
        assert "bobs.pdf" in (await bot.say("info theirs", BOB))[0]
        assert await bot.say("info strange@1") == ["There is no such version."]
        assert "no file called" in (await bot.say("info nothing@1"))[0]
        await bot.say("get report.pdf@1")
        assert [each.entry.name for each in bot.sent] == ["report.pdf"]
        await bot.say("rm report.pdf@1")
        assert "no file" in (await bot.say("info report.pdf"))[0]


def test_mistakes_in_declarations_are_found_at_once() -> None:
    plugin = Plugin[None]("p", api=1)

    async def good(ctx: Context[None], value: str) -> EntryFilter:
        return ctx.store.having(value)

    def no_coroutine(ctx: Context[None], value: str) -> Any: ...

    async def one(ctx: Context[None]) -> Any: ...

    async def of_room(ctx: Context[None], value: Room) -> Any: ...

    async def of_file(ctx: Context[None], value: Entry) -> Any: ...

    async def of_bytes(ctx: Context[None], value: bytes) -> Any: ...

    async def of_person(ctx: Context[None], value: Jid) -> Any: ...

    plugin.filter("good")(good)
    plugin.filter("person")(of_person)
    wrong: tuple[tuple[str, Handler, str], ...] = (
        ("good", good, "declared twice"),
        ("Bad", good, "lower-case"),
        ("a b", good, "lower-case"),
        ("none", no_coroutine, "write async def"),
        ("one", one, r"is given a context and a value, but: .*; write one\(ctx, value\)"),
        ("room", of_room, "no file and no room"),
        ("file", of_file, "no file and no room"),
        ("bytes", of_bytes, "no type of an argument"),
    )
    for name, handler, words in wrong:
        with pytest.raises(PluginError, match=words):
            plugin.filter(name)(handler)
    of_name: tuple[tuple[Handler, str], ...] = (
        (no_coroutine, "write async def"),
        (one, "a context and a text"),
    )
    for handler, words in of_name:
        with pytest.raises(PluginError, match=words):
            plugin.resolver(handler)


async def test_the_needs_of_filters_and_resolvers_are_looked_at() -> None:
    plugin = Plugin[None]("p", api=1)

    @plugin.filter("good")
    async def good(ctx: Context[None], value: str) -> EntryFilter:
        return ctx.store.having(value)

    with pytest.raises(PluginError, match=r"filter 'good': ctx\.store\.having .* needs \"store\""):
        FakeBot(plugin)


async def test_two_plugins_cannot_have_one_filter() -> None:
    with pytest.raises(PluginError, match="have a filter 'label'"):
        FakeBot(tagging(), tagging_again())


def tagging_again() -> Plugin[None]:
    plugin = Plugin[None]("again", api=1, needs={"store"})

    @plugin.filter("label")
    async def having(ctx: Context[None], word: str) -> EntryFilter:
        return ctx.store.having(word)

    return plugin


async def test_the_example_of_filters_and_names_works() -> None:
    async with FakeBot(example("priority").plugin) as bot:
        await bot.drop("a.pdf", b"a")
        await bot.drop("b.pdf", b"b")
        assert await bot.say("mark newest.pdf as high") == ['"b.pdf" is high.']
        [said] = await bot.say("find priority:high pdf")
        assert "b.pdf" in said
        assert "a.pdf" not in said
        assert "For LEVEL, type high or low." in (await bot.say("find priority:medium"))[0]


async def test_the_example_of_content_works() -> None:
    async with FakeBot(example("lines").plugin) as bot:
        await bot.drop("a.txt", b"1\n2\n")
        for _ in range(2):
            assert await bot.say("lines a.txt") == ['"a.txt" has 2 lines.']
        assert "head of a.txt" in (await bot.say("head a.txt"))[0]
