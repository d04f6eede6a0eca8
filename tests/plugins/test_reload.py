"""Reload: other plugins and settings take the place of those there are, in one step or not at all."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from filebot.chat.rate_limits import RateLimits
from filebot.errors import ReloadRefused
from filebot.model import Address, IncomingMessage, Sender
from filebot.plugin import CommandCalled, Context, FileStored, Life, Plugin, Refusal
from filebot.plugin.store import PluginStore
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, open_catalog, through_room
from filebot.testing.messenger import Said
from tests.support.virtual_time import in_virtual_time

OPENED: list[str] = []


@dataclass(frozen=True)
class Settings:
    loud: bool = False


def echo(text: str, name: str = "echo") -> Plugin[Settings]:
    """A plugin that answers with a text, also to a file."""
    plugin = Plugin(name, api=1, settings=Settings, templates={"said": f"{text} {{{{ more }}}}"})

    @plugin.command(name, usage=name)
    async def said(ctx: Context[Settings]) -> None:
        """Say it."""
        await ctx.reply(f"{name}/said", more="!" if ctx.settings.loud else ".")

    @plugin.on(FileStored)
    async def stored(ctx: Context[Settings], event: FileStored) -> None:
        await ctx.reply(f"{name}/said", more=event.name)

    return plugin


async def test_another_version_of_a_plugin_takes_over_with_its_words_listeners_and_settings() -> None:
    async with FakeBot(echo("one")) as bot:
        assert await bot.say("echo") == ["one ."]
        done = await bot.reload(echo("two"), settings={"echo": {"loud": True}})
        assert (done.added, done.changed, done.removed) == ((), ("echo",), ())
        assert await bot.say("echo") == ["two !"]
        assert (await bot.drop("a.txt", b"a"))[-1:] == ["two a.txt"]


async def test_plugins_come_and_go_and_those_that_stay_the_same_are_not_named() -> None:
    stays = echo("stays", "stays")
    async with FakeBot(stays, echo("one", "old")) as bot:
        done = await bot.reload(stays, echo("two", "new"), disabled=["quota"])
        assert (done.added, done.changed, done.removed) == (("new",), (), ("old", "quota"))
        assert await bot.say("new") == ["two ."]
        for gone in ("old", "quota"):
            assert "I do not understand" in (await bot.say(gone))[0]
        assert "quota" in (await bot.reload(stays)).added
        assert "I do not understand" not in (await bot.say("quota"))[0]


def colliding(kind: str) -> Plugin[Any]:
    plugin = Plugin[None]("files" if kind == "plugin" else "mine", api=1)
    if kind == "command":

        @plugin.command("ls", usage="ls")
        async def ls(ctx: Context[None]) -> None:
            """List."""

    return plugin


@pytest.mark.parametrize(
    ("kind", "mistake"),
    [
        ("plugin", "there is a plugin 'files' already; give it another name"),
        ("command", "both plugins 'files' and 'mine' have a command 'ls'"),
    ],
)
async def test_a_name_of_another_plugin_refuses_the_reload_and_all_stays(kind: str, mistake: str) -> None:
    async with FakeBot(echo("one")) as bot:
        with pytest.raises(ReloadRefused) as refused:
            await bot.reload(echo("two"), colliding(kind))
        assert refused.value.mistakes == (mistake,)
        assert await bot.say("echo") == ["one ."]


async def test_settings_that_do_not_hold_refuse_the_reload_with_each_mistake() -> None:
    async with FakeBot(echo("one")) as bot:
        with pytest.raises(ReloadRefused) as refused:
            await bot.reload(echo("two"), settings={"echo": {"lout": 1}, "quota": {"warn_at": 7}})
        first, second = sorted(refused.value.mistakes)
        assert first.startswith('plugins.echo.lout: unknown key; did you mean "loud"?')
        assert second.startswith("plugins.quota: ")
        assert await bot.say("echo") == ["one ."]


def living(name: str, text: str, *, fails: bool = False) -> Plugin[Settings]:
    """A plugin with a lifespan that yields a text."""
    plugin = Plugin(name, api=1, settings=Settings, templates={"said": "{{ text }}"})

    @plugin.lifespan
    async def life(life: Life[Settings]) -> AsyncIterator[str]:
        if fails:
            raise LookupError("no such place")
        OPENED.append(text)
        try:
            yield text
        finally:
            OPENED.remove(text)

    @plugin.command(name, usage=name)
    async def said(ctx: Context[Settings]) -> None:
        """Tell what is open."""
        await ctx.reply(f"{name}/said", text=ctx.state(life))

    @plugin.command(f"slow_{name}", usage=f"slow_{name}")
    async def slow(ctx: Context[Settings]) -> None:
        """Tell it later."""
        await asyncio.sleep(5)
        await ctx.reply(f"{name}/said", text=f"{ctx.state(life)} {text in OPENED}")

    return plugin


async def test_a_lifespan_that_does_not_open_refuses_the_reload_and_closes_the_others() -> None:
    async with FakeBot(living("one", "first")) as bot:
        with pytest.raises(ReloadRefused) as refused:
            await bot.reload(living("one", "second"), living("two", "third", fails=True))
        [mistake] = refused.value.mistakes
        assert mistake.startswith(
            f"plugin two: its lifespan: LookupError: no such place ({__file__}, line "
        )
        assert OPENED == ["first"]
        assert await bot.say("one") == ["first"]
    assert OPENED == []


async def test_lifespans_of_plugins_that_stay_the_same_stay_open_and_the_others_are_closed() -> None:
    stays = living("stays", "stays")
    async with FakeBot(stays, living("one", "first"), living("goes", "goes")) as bot:
        await bot.reload(stays, living("one", "second"))
        assert OPENED == ["stays", "second"]
        assert await bot.say("stays") == ["stays"]
        assert await bot.say("one") == ["second"]
        await bot.reload(stays, living("one", "third"), settings={"stays": {"loud": True}})
        assert sorted(OPENED) == ["stays", "third"]  # opened anew for its settings
    assert OPENED == []


@in_virtual_time
async def test_a_command_that_runs_ends_with_the_plugin_that_it_began_with() -> None:
    async with FakeBot(living("one", "first")) as bot:
        slow = asyncio.create_task(bot.say("slow_one"))
        await asyncio.sleep(1)
        reload = asyncio.create_task(bot.reload(living("one", "second")))
        await asyncio.sleep(1)
        assert OPENED == ["first", "second"]  # beside each other
        assert await bot.say("one", through_room()) == ["second", "first True"]
        await asyncio.gather(slow, reload)
        assert OPENED == ["second"]


@in_virtual_time
async def test_a_command_that_never_ends_holds_no_lifespan_open_for_ever() -> None:
    plugin = living("one", "first")

    @plugin.command("hang", usage="hang")
    async def hang(ctx: Context[Settings]) -> None:
        """Never end."""
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    async with FakeBot(plugin) as bot:
        hanging = asyncio.create_task(bot.say("hang"))
        await asyncio.sleep(1)
        began = loop.time()
        await bot.reload(living("one", "second"))
        assert loop.time() - began == pytest.approx(30)
        assert OPENED == ["second"]
        hanging.cancel()


def with_jobs(text: str, *, every: str = "1h") -> Plugin[None]:
    """A plugin whose jobs, schedule and durable listener note a text."""
    plugin = Plugin[None]("post", api=1, needs={"jobs", "store"})

    @plugin.job("mail")
    async def mail(ctx: Context[None], payload: str) -> None:
        await ctx.store.set(f"mail {payload}", text)

    @plugin.every(every)
    async def tick(ctx: Context[None]) -> None:
        await ctx.store.set("tick", text)

    @plugin.on(FileStored, durable=True)
    async def stored(ctx: Context[None], event: FileStored) -> None:
        await ctx.store.set(f"stored {event.name}", text)

    @plugin.command("mail", usage="mail")
    async def add(ctx: Context[None]) -> None:
        """Add a job."""
        await ctx.jobs.add("mail", "x")

    return plugin


async def kept(bot: FakeBot) -> dict[str, object]:
    return dict(await PluginStore(bot.catalog.plugin_data, "post").items())


async def test_jobs_that_wait_are_done_by_the_new_code() -> None:
    async with FakeBot(with_jobs("old")) as bot:
        await bot.say("mail")
        await bot.drop("a.txt", b"a")
        await bot.reload(with_jobs("new", every="2h"))
        await bot.jobs.run()
        assert await kept(bot) == {"mail x": "new", "stored a.txt": "new"}
        await bot.pass_time(timedelta(hours=1, minutes=1))
        assert "tick" not in await kept(bot)
        await bot.pass_time(timedelta(hours=1))
        assert (await kept(bot))["tick"] == "new"
        assert await bot.jobs.count("post") == 1


async def test_a_plugin_that_is_gone_is_told_of_nothing_and_its_jobs_wait() -> None:
    async with FakeBot(with_jobs("old")) as bot:
        await bot.say("mail")
        await bot.reload()
        await bot.drop("a.txt", b"a")
        await bot.jobs.run()
        assert await kept(bot) == {}
        await bot.reload(with_jobs("new"))
        await bot.jobs.run()
        assert await kept(bot) == {"mail x": "new"}


async def test_checks_come_and_go() -> None:
    strict = Plugin[None]("strict", api=1, needs={"checks"}, templates={"no": "Not today."})

    @strict.check(CommandCalled)
    async def refuse(ctx: Context[None], act: CommandCalled) -> None:
        raise Refusal("strict/no")

    async with FakeBot() as bot:
        await bot.reload(strict)
        assert await bot.say("ls") == ["Not today."]
        await bot.reload()
        assert await bot.say("ls") != ["Not today."]


async def test_consent_ends_with_its_plugin_and_does_not_come_back_with_it() -> None:
    async with FakeBot() as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set archive on", in_room())
        await bot.say("room set retention 30 days", in_room())
        assert bot.rooms.followed.keys() == {ROOM}
        await bot.reload(disabled=["archive", "retention"])
        assert bot.rooms.followed == {}
        assert (
            'My operator has turned "archive" off' in (await bot.say("room set archive on", in_room()))[0]
        )
        await bot.reload()
        [shown] = await bot.say("room", in_room())
        assert bot.rooms.followed == {}
        assert "30 days" in shown
    async with FakeBot(catalog=bot.catalog) as again:
        assert again.rooms.followed == {}


async def test_the_presence_in_rooms_says_the_words_in_force() -> None:
    def saying(text: str) -> Plugin[None]:
        plugin = Plugin[None]("gallery", api=1, needs={"files.unasked"}, templates={"here": text})
        plugin.room_setting("gallery", bool, default=False, consent=True, presence="gallery/here")
        return plugin

    async with FakeBot(saying("I keep pictures.")) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set gallery on", in_room())
        assert bot.rooms.followed == {ROOM: "I keep pictures."}
        await bot.reload(saying("I keep your pictures."))
        assert bot.rooms.followed == {ROOM: "I keep your pictures."}


async def test_a_setting_of_a_room_that_was_cleared_meanwhile_does_not_come_back() -> None:
    async with FakeBot() as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set retention 30 days", in_room())
        await bot.reload(disabled=["retention"])
        rows, read, go_on = bot.catalog.room_settings, asyncio.Event(), asyncio.Event()

        async def slow_rows() -> Any:
            found = await rows()
            read.set()
            await go_on.wait()
            return found

        bot.catalog.room_settings = slow_rows  # type: ignore[method-assign]
        reload = asyncio.create_task(bot.reload())
        await read.wait()
        await bot._services.room_settings.clear(ROOM)
        go_on.set()
        await reload
        assert "30 days" not in (await bot.say("room", in_room()))[0]


async def test_migrations_that_have_to_run_refuse_the_reload(tmp_path: Path) -> None:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "one.py").write_text(
        "revision, down_revision = 'one', None\ndef upgrade():\n    raise LookupError('never')\n"
    )
    tables = Plugin[None]("tables", api=1, migrations=migrations)
    async with open_catalog(tmp_path / "catalog.sqlite") as catalog, FakeBot(catalog=catalog) as bot:
        with pytest.raises(ReloadRefused) as refused:
            await bot.reload(tables)
        assert refused.value.mistakes == ("plugin tables: restart needed: its migrations have to run",)
        (migrations / "one.py").write_text("raise LookupError('unreadable')")
        with pytest.raises(ReloadRefused, match=r"in .* cannot be read: LookupError: unreadable"):
            await bot.reload(tables)
        (migrations / "one.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = 'one', None\n"
            "def upgrade():\n    op.create_table('tables_kept', sa.Column('id', sa.Integer))\n"
        )
        async with FakeBot(tables, catalog=catalog) as started:
            assert not (await started.reload(tables)).changed
        assert (await bot.reload(tables)).added == ("tables",)  # they are up to date now


async def test_limits_and_rights_are_those_of_the_new_config_at_once() -> None:
    async with FakeBot() as bot:
        assert "Stored" in (await bot.drop("a.txt", b"a" * 100))[0]
        bot._source._storage = replace(bot._source._storage, max_file_bytes=10)
        bot._source._access = replace(bot._source._access, deny=(BOB,))
        await bot.reload()
        [refused] = await bot.drop("b.txt", b"b" * 100)
        assert "up to 10 bytes" in refused
        bot._source._limits = replace(bot._source._limits, files_per_message=0)
        await bot.reload()
        assert "I take 0 files" in (await bot.drop("c.txt", b"c"))[0]
        assert "I only serve certain people" in (await bot.say("ls", BOB))[0]


@in_virtual_time
async def test_listeners_at_once_of_a_replaced_plugin_end_before_its_lifespan() -> None:
    plugin, ended = living("one", "first"), list[bool]()

    @plugin.on(FileStored, at_once=True)
    async def stored(ctx: Context[Settings], event: FileStored) -> None:
        await asyncio.sleep(5)
        ended.append("first" in OPENED)

    async with FakeBot(plugin) as bot:
        for number in range(9):  # one more than run at once
            await bot.drop(f"{number}.txt", str(number).encode())
        await bot.reload(living("one", "second"))
        assert ended == [True] * 9
        assert OPENED == ["second"]


async def test_open_lists_end_with_the_plugins_that_read_their_pages() -> None:
    async with FakeBot(settings={"files": {"page_size": 1}}) as bot:
        for number in range(3):
            await bot.drop(f"{number}.txt", str(number).encode())
        await bot.say("ls")
        await bot.reload()
        [said] = await bot.say("more")
        assert ".txt" not in said


async def test_an_admin_reloads_in_private_and_reads_what_came_of_it() -> None:
    async with FakeBot(echo("one")) as bot:
        assert await bot.say("reload", ADMIN) == ["I have read my config and my plugins again."]
        bot.rooms.occupants[ROOM] |= {ADMIN}
        [elsewhere] = await bot.say("reload", in_room(ADMIN, "admin"))
        assert "private" in elsewhere
        assert await bot.say("reload") == ["Only my operator can do that."]
        before = bot._source.declare([echo("two"), colliding("plugin")], {}, ())
        [refused] = await bot.say("reload", ADMIN)
        assert refused.splitlines() == [
            "All stays as it was, because of this:",
            "- there is a plugin 'files' already; give it another name",
        ]
        bot._source.declare([echo("two"), echo("three", "other")], {}, ["quota"])
        [done] = await bot.say("reload", ADMIN)
        changes = "New: other\nChanged: echo\nNo longer loaded: quota"
        assert done == f"I have read my config and my plugins again.\n{changes}"
        bot._source.declare(*before)
        await bot.catalog.set_language(ADMIN, "zh_CN")
        [chinese] = await bot.say("reload", ADMIN)
        assert chinese.startswith("我已重新读取配置和插件。\n新增：quota")


async def test_two_reloads_at_the_same_time_come_one_after_the_other() -> None:
    async with FakeBot(living("one", "first")) as bot:
        await asyncio.gather(bot.reload(living("one", "second")), bot.reload(living("one", "third")))
        assert OPENED == ["third"]
        assert await bot.say("one") == ["third"]


async def test_a_reload_that_is_cancelled_leaves_all_as_it_was() -> None:
    plugin, opening = living("one", "second"), asyncio.Event()
    slow = Plugin[None]("slow", api=1)

    @slow.lifespan
    async def life(life: Life[None]) -> AsyncIterator[None]:
        opening.set()
        await asyncio.sleep(60)
        yield

    async with FakeBot(living("one", "first")) as bot:
        reload = asyncio.create_task(bot.reload(plugin, slow))
        await opening.wait()
        reload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reload
        assert OPENED == ["first"]
        assert await bot.say("one") == ["first"]


async def test_many_reloads_leave_nothing_of_the_earlier_ones() -> None:
    async with FakeBot(living("one", "0")) as bot:
        chats = []
        for number in range(20):
            await bot.reload(living("one", str(number + 1)), with_jobs(str(number)))
            await bot.say("one", through_room())
            chats.append(weakref.ref(bot._running.calls))
        gc.collect()
        alive = [each for each in chats if each() is not None]
        assert len(alive) <= 2
        assert OPENED == ["20"]
        assert len(bot._services.jobs._works) < 20


async def test_commands_during_reloads_are_all_answered_by_one_version_or_another() -> None:
    async with FakeBot(living("one", "0"), rate_limits=RateLimits(commands_per_minute=1000)) as bot:
        people = [f"person{number}@example.org" for number in range(20)]

        async def ask(person: str) -> None:
            for _ in range(5):
                await bot.dispatcher.receive(IncomingMessage(Sender(Address(person), person), "one"))

        asking = [asyncio.create_task(ask(person)) for person in people]
        for number in range(3):
            await bot.reload(living("one", str(number + 1)))
        await asyncio.gather(*asking)
        said = [each.text for each in bot.messenger.sent if isinstance(each, Said)]
        assert len(said) == 100
        assert {*said} <= {"0", "1", "2", "3"}
