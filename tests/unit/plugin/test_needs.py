"""Needs: a plugin is given what it declared, and is told what to write where it uses more."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import PluginError
from filebot.plugin import Address, Context, Event, FileReceived, FileStored, Plugin, Refusal, UserError
from filebot.plugin.context import Context as RealContext
from filebot.plugin.conversation import Conversation
from filebot.plugin.database import PluginDatabase
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.examine import examine
from filebot.plugin.file_content import FileContent
from filebot.plugin.files import Files
from filebot.plugin.http import Http
from filebot.plugin.jobs import Jobs
from filebot.plugin.needs import NEED_OF, NEEDS, Need
from filebot.plugin.room_files import FilesOfRoom
from filebot.plugin.rooms import RoomAccess
from filebot.plugin.store import PluginStore
from filebot.plugin_loader import bundled
from filebot.replies import Replies
from filebot.testing import ALICE, BOB, FakeBot


def public(cls: type) -> set[str]:
    renamed = {"look_back", "stop_looking_back"}
    return {name for name in vars(cls) if not name.startswith("_")} - renamed


def test_each_attribute_of_a_part_of_the_context_has_its_need() -> None:
    parts = {
        "files": Files,
        "rooms": RoomAccess,
        "store": PluginStore,
        "jobs": Jobs,
        "db": PluginDatabase,
        "delivery": DeliveryAccess,
        "room_files": FilesOfRoom,
        "http": Http,
    }
    named = {f"{path}.{name}" for path, part in parts.items() for name in public(part)}
    named |= {f"files.{name}" for name in public(FileContent)}
    assert named == {path for path in NEED_OF if "." in path}
    assert {need for need in NEED_OF.values() if need} | {"checks"} == set(NEEDS)


def test_the_context_checks_each_other_attribute_that_has_a_need() -> None:
    checked = {path for path in NEED_OF if "." not in path}
    assert checked - {"reload"} == public(Conversation) & public(RealContext)


async def greet(ctx: Context[None]) -> None:
    """Greet somebody."""
    await helped(ctx)


async def helped(ctx: Context[None]) -> None:
    await ctx.tell(Address(BOB), "greeting/hello")


def declared(handler: Any, needs: Any = ()) -> Plugin[None]:
    plugin = Plugin[None]("greeting", api=1, needs=needs, templates={"hello": "Hello.", "found": "It is."})
    plugin.command("greet", usage="greet")(handler)
    return plugin


def test_a_use_that_is_not_declared_is_found_when_the_plugin_is_loaded() -> None:
    plugin = declared(greet, {"rooms"})
    with pytest.raises(PluginError) as caught:
        examine(plugin)
    line = helped.__code__.co_firstlineno + 1
    made = declared.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        f"plugin 'greeting', command 'greet': ctx.tell ({__file__}, line {line}) needs \"people\", "
        'which is not declared; write Plugin("greeting", ..., needs={"people", "rooms"}) '
        f"in {__file__}, line {made}"
    )


def test_a_use_is_found_in_a_function_that_changed_since_it_was_examined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(ctx: Context[None]) -> None:
        """Greet nobody."""

    examine(declared(silent))
    monkeypatch.setattr(silent, "__code__", greet.__code__)
    with pytest.raises(PluginError, match=re.escape("ctx.tell (")):
        examine(declared(silent))
    monkeypatch.setitem(globals(), "helped", silent_helper)
    examine(declared(silent))


async def silent_helper(ctx: Context[None]) -> None: ...


def test_a_check_has_to_be_declared() -> None:
    plugin = Plugin[None]("greeting", api=1, needs={"store"})

    @plugin.check(FileReceived)
    async def look(ctx: Context[None], file: FileReceived) -> None: ...

    with pytest.raises(PluginError) as caught:
        examine(plugin)
    made = test_a_check_has_to_be_declared.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        "plugin 'greeting', check 'look': to be asked before each FileReceived needs \"checks\", "
        'which is not declared; write Plugin("greeting", ..., needs={"checks", "store"}) '
        f"in {__file__}, line {made}"
    )


def test_closures_and_listeners_are_read_as_well() -> None:
    async def inside(ctx: Context[None]) -> None:
        """Look."""

        async def page() -> int:
            return await ctx.files.count()

        await page()

    with pytest.raises(PluginError, match=r'ctx\.files\.count .* needs "files\.read"'):
        examine(declared(inside))
    examine(declared(inside, {"files.read"}))
    plugin = Plugin[None]("night", api=1)

    @plugin.daily("08:00")
    async def count(ctx: Context[None]) -> None:
        await ctx.store.set("nights", 1)

    with pytest.raises(
        PluginError, match=r"plugin 'night', schedule 'count': ctx\.store\.set .* needs \"store\""
    ):
        examine(plugin)
    plugin = Plugin[None]("hearing", api=1)

    @plugin.on(FileStored)
    async def rename(ctx: Context[None], event: FileStored) -> None:
        await ctx.files.rename(event.entry, "b.txt")

    with pytest.raises(PluginError, match=r"plugin 'hearing', listener 'rename': ctx\.files\.rename"):
        examine(plugin)


def test_comprehensions_are_read_as_well() -> None:
    async def each(ctx: Context[None]) -> None:
        """Look."""
        found = [await ctx.files.one(name) for name in "ab"]
        states = {name: await ctx.rooms.state(name) for name in "ab"}
        assert found or states

    for needs, missing in ((frozenset[Need](), "files.read"), (frozenset[Need]({"files.read"}), "rooms")):
        with pytest.raises(PluginError, match=rf'needs "{missing}"'):
            examine(declared(each, needs))
    examine(declared(each, {"files.read", "rooms"}))


class UnwelcomeError(UserError):
    template = "greeting/unwelcome"


def test_a_template_that_is_not_there_is_found_when_the_plugin_is_loaded() -> None:
    async def misspelt(ctx: Context[None]) -> None:
        """Greet."""
        await ctx.reply("greeting/helo", name="Bob")

    async def bare(ctx: Context[None]) -> None:
        """Greet."""
        await ctx.reply_aside("hello")

    async def refuse(ctx: Context[None]) -> None:
        """Refuse."""
        raise Refusal("greeting/never", name="Bob")

    async def fail(ctx: Context[None]) -> None:
        """Fail."""
        raise UnwelcomeError

    for handler, mistake in (
        (misspelt, f"line {misspelt.__code__.co_firstlineno + 2}) names the template 'greeting/helo'"),
        (misspelt, "which is not there; did you mean 'greeting/hello'?"),
        (bare, "'hello', which is not there; did you mean 'greeting/hello'?"),
        (refuse, "'greeting/never', which is not there; there are: greeting/hello, greeting/found"),
        (fail, "class UnwelcomeError) names the template 'greeting/unwelcome'"),
    ):
        with pytest.raises(PluginError, match=re.escape(mistake)):
            examine(declared(handler))


def test_a_template_of_filebot_or_of_another_plugin_may_be_named() -> None:
    async def lend(ctx: Context[None]) -> None:
        """Reply with the words of others."""
        await ctx.reply("tags/none", name="a.txt")
        await ctx.reply("greeting/shipped" if ctx.is_reply else "greeting/hello")
        await ctx.reply("greeting/shipped")

    examine(declared(lend), lambda name: name == "greeting/shipped")


def test_a_template_whose_name_is_put_together_is_left_to_the_call() -> None:
    async def greet(ctx: Context[None]) -> None:
        """Greet."""
        kind = ctx.action
        await ctx.reply(f"greeting/{kind}", name="Bob")
        await ctx.reply("greeting/" + kind)
        await ctx.reply("greeting/{}".format(kind), name="Bob")  # noqa: UP032 - it is about that
        await ctx.reply("greeting/%s" % kind)  # noqa: UP031 - it is about that

    async def misspelt(ctx: Context[None]) -> None:
        """Greet."""
        kind = ctx.action
        await ctx.reply("greeting/helo", name=f"{kind}" + kind.format(1) if kind else "Bob")

    examine(declared(greet))
    with pytest.raises(PluginError, match="names the template 'greeting/helo'"):
        examine(declared(misspelt))


async def test_a_person_is_told_by_an_address() -> None:
    async def tell(ctx: Context[None]) -> None:
        """Tell somebody."""
        with pytest.raises(PluginError, match=re.escape("write Address('bob@example.org')")):
            await ctx.tell(BOB, "greeting/hello")  # type: ignore[arg-type]
        await ctx.reply("greeting/found")

    async with FakeBot(declared(tell, {"people"})) as bot:
        assert await bot.say("greet") == ["It is."]


async def greet_later(ctx: Context[None], _: Any) -> None:
    await ctx.tell(Address(BOB), "greeting/hello")


async def greet_often(ctx: Context[None]) -> None:
    await ctx.tell(Address(BOB), "greeting/hello")


@pytest.mark.parametrize(
    ("declare", "hook"),
    [
        (lambda plugin: plugin.on(FileStored, at_once=True)(greet_later), "listener 'greet_later'"),
        (lambda plugin: plugin.on(FileStored, durable=True)(greet_later), "listener 'greet_later'"),
        (lambda plugin: plugin.job("greet")(greet_later), "job 'greet'"),
        (lambda plugin: plugin.every("1h")(greet_often), "schedule 'greet_often'"),
    ],
)
def test_functions_that_are_called_later_are_read_as_well(
    declare: Callable[[Plugin[None]], object], hook: str
) -> None:
    for needs in (frozenset[Need](), frozenset[Need]({"people"})):
        plugin = Plugin[None]("greeting", api=1, needs=needs)
        declare(plugin)
        if needs:
            examine(plugin)
        else:
            with pytest.raises(PluginError, match=rf"plugin 'greeting', {hook}: ctx\.tell"):
                examine(plugin)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("files.count", ()), ("rooms.state", ("",)), ("tell", (Address(BOB), "greeting/hello")), ("emit", ())],
)
async def test_a_use_that_is_hidden_is_refused_when_it_runs(
    path: str, arguments: tuple[Any, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async def sneak(ctx: Context[None]) -> None:
        """Look."""
        found: Any = ctx
        for name in path.split("."):
            found = getattr(found, name)
        await found(*(arguments or (Event(ctx.sender, None),) if path == "emit" else arguments))

    async with FakeBot(declared(sneak), may_fail=True) as bot:
        [said] = await bot.say("greet")
        assert said.startswith("Something went wrong on my side.")
        assert bot.messenger.texts(BOB) == []
    need = NEED_OF[path]
    assert f"plugin 'greeting', command 'greet': ctx.{path} needs \"{need}\"" in caplog.text
    async with FakeBot(declared(sneak, {need}), may_fail=True) as bot:
        assert "went wrong" not in "".join(await bot.say("greet"))


async def test_nothing_but_the_documented_is_reached() -> None:
    found: list[str] = []

    async def reach(ctx: Context[None]) -> None:
        """Reach."""
        for name in ("_access", "nothing"):
            try:
                getattr(ctx.files, name)
            except AttributeError as error:
                found.append(str(error))
        assert not ctx.rooms.prefix.isalnum()  # it needs nothing

    async with FakeBot(declared(reach, {"files.read"})) as bot:
        await bot.say("greet", ALICE)
    assert found == ["there is no ctx.files._access", "there is no ctx.files.nothing"]


@pytest.mark.parametrize(
    ("needs", "mistake"),
    [
        ("rooms", "the needs of plugin 'p' are a set, not one text; write {'rooms'}"),
        ({"files"}, "plugin 'p' needs 'files', which is none of files.read, files.write, files.annotate, "),
    ],
)
def test_wrong_needs_are_refused(needs: Any, mistake: str) -> None:
    with pytest.raises(PluginError) as caught:
        Plugin[None]("p", api=1, needs=needs)
    assert str(caught.value).startswith(mistake)


def test_a_plugin_for_no_api_or_another_is_told_what_to_change() -> None:
    with pytest.raises(PluginError) as caught:
        examine(Plugin[None]("old"))
    assert str(caught.value).startswith(
        "plugin 'old' does not say for which API it is; "
        f'write Plugin("old", api=1, ...) in {Path(__file__)}, line '
    )
    with pytest.raises(PluginError, match="plugin 'new' is for API 2, and this filebot has API 1; "):
        examine(Plugin[None]("new", api=2))


def test_the_bundled_plugins_declare_what_they_use() -> None:
    has = Replies().has
    for plugin in bundled():
        examine(plugin, has)
