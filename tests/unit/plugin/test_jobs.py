"""Jobs and schedules of plugins, in a fake bot."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from filebot.errors import NotAllowed, PluginError
from filebot.plugin import Context, FileStored, Plugin
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room
from tests.support.manual import example

HOUR = timedelta(hours=1)


async def test_the_example_of_a_job_works() -> None:
    async with FakeBot(example("remind").plugin) as bot:
        assert await bot.say("remind tea", ALICE) == ["I shall remind you."]
        await bot.say("remind cake", BOB)
        await bot.say("forget", BOB)
        assert await bot.jobs.run() == []
        assert await bot.pass_time(HOUR) == ["You wanted to hear: tea"]
        assert bot.messenger.sent[-1].to.jid == ALICE
        assert await bot.pass_time(HOUR) == []


async def test_the_example_of_a_schedule_works() -> None:
    async with FakeBot(example("greet").plugin) as bot:
        assert await bot.jobs.run() == []
        assert await bot.pass_time(timedelta(days=1)) == ["Good morning."]
        assert bot.messenger.sent[-1].to.jid == ADMIN
        week = await bot.pass_time(timedelta(days=7))
        assert sorted(week) == ["Good morning."] * 7 + ["That was week 1."]


async def test_a_job_of_a_disabled_plugin_has_no_effect_and_waits_for_it() -> None:
    async with FakeBot(example("remind").plugin) as bot:
        await bot.say("remind tea")
        assert await bot.jobs.run() == []
    async with FakeBot(catalog=bot.catalog) as without:
        assert await without.pass_time(HOUR) == []
        assert await without.jobs.count("remind") == 1
    async with FakeBot(example("remind").plugin, catalog=bot.catalog) as again:
        assert await again.pass_time(HOUR) == ["You wanted to hear: tea"]


async def test_a_job_sees_what_its_person_may_see_then() -> None:
    plugin = Plugin[None](
        "count", api=1, needs={"files.read", "jobs"}, templates={"files": "{{ count }} files"}
    )

    @plugin.command("later", usage="later")
    async def later(ctx: Context[None]) -> None:
        """Count later."""
        await ctx.jobs.add("count", {})

    @plugin.job("count")
    async def count(ctx: Context[None], _: dict[str, Any]) -> None:
        await ctx.reply("count/files", count=await ctx.files.count())

    async with FakeBot(plugin) as bot:
        await bot.say("later", BOB)
        await bot.say("later", ALICE)
        await bot.drop("a.txt", b"a", ALICE)
        assert await bot.jobs.run() == ["0 files", "1 files"]


async def test_a_job_that_keeps_failing_is_dead_and_disturbs_no_other() -> None:
    plugin = Plugin[None]("frail", api=1, needs={"jobs"}, templates={"done": "done"})

    @plugin.command("go", usage="go")
    async def go(ctx: Context[None]) -> None:
        """Begin."""
        await ctx.jobs.add("fail", {"why": "paper"})
        await ctx.jobs.add("work", {})

    @plugin.job("fail")
    async def fail(ctx: Context[None], payload: dict[str, Any]) -> None:
        raise LookupError(payload["why"])

    @plugin.job("work")
    async def work(ctx: Context[None], payload: dict[str, Any]) -> None:
        await ctx.reply("frail/done")

    async with FakeBot(plugin) as bot:
        await bot.say("go")
        bot.may_fail = True
        assert await bot.jobs.run() == ["done"]
        for _ in range(20):
            await bot.pass_time(HOUR)
            bot.may_fail = True
            assert await bot.jobs.run() == []
        [dead] = await bot.jobs.dead("frail")
        assert dead.job.error == "LookupError: paper"


async def test_a_job_added_twice_by_its_key_is_done_once_and_a_group_in_order() -> None:
    plugin, done = Plugin[None]("list", api=1, needs={"jobs"}), list[int]()

    @plugin.command("add", usage="add")
    async def add(ctx: Context[None]) -> None:
        """Add all."""
        assert await ctx.jobs.add("note", {"n": 0}, key="k")
        assert not await ctx.jobs.add("note", {"n": 1}, key="k")
        for number in range(2, 9):
            await ctx.jobs.add("note", {"n": number}, group="g")
        await ctx.jobs.add("note", {"n": 9}, after=HOUR, within=HOUR)

    @plugin.job("note")
    async def note(ctx: Context[None], payload: dict[str, int]) -> None:
        done.append(payload["n"])

    async with FakeBot(plugin) as bot:
        await bot.say("add")
        await bot.jobs.run()
        assert done == [0, *range(2, 9)]
        bot.now += 3 * HOUR  # the bot was not there
        await bot.jobs.run()
        assert 9 not in done
        [late] = await bot.jobs.dead("list")
        assert late.job.error == "its deadline has passed"


@dataclass(frozen=True)
class Page:
    number: int


@pytest.mark.parametrize(
    ("name", "payload", "other", "words"),
    [
        ("prnt", Page(1), {}, "has no job 'prnt'; did you mean 'print'"),
        ("print", {"number": 1}, {}, "its payload: Input should be an instance of Page"),
        ("raw", {"text": object()}, {}, "its payload: Unable to serialize"),
        ("raw", {"text": "x" * 20_000}, {}, "more than 16384; keep what is large elsewhere"),
        ("raw", {}, {"key": ""}, "a key or group has 1 to 200 characters, not 0"),
        ("raw", {}, {"group": "x" * 201}, "a key or group has 1 to 200 characters, not 201"),
        ("raw", {}, {"after": -HOUR}, "after is at most 366 days"),
        ("raw", {}, {"within": timedelta(0)}, "neither time is negative"),
    ],
)
async def test_what_does_not_fit_the_declaration_is_not_added(
    name: str, payload: object, other: dict[str, Any], words: str
) -> None:
    plugin, raised = Plugin[None]("press", api=1, needs={"jobs"}), list[str]()

    @plugin.job("print")
    async def print_page(ctx: Context[None], page: Page) -> None: ...

    @plugin.job("raw")
    async def raw(ctx: Context[None], payload: dict[str, Any]) -> None: ...

    @plugin.command("go", usage="go")
    async def go(ctx: Context[None]) -> None:
        """Begin."""
        try:
            await ctx.jobs.add(name, payload, **other)
        except PluginError as error:
            raised.append(str(error))

    async with FakeBot(plugin) as bot:
        await bot.say("go")
        assert words in raised[0]
        assert await bot.jobs.count("press") == 0


async def test_what_nobody_asked_for_sees_nobodys_files_and_cannot_reply() -> None:
    plugin, seen = (
        Plugin[None]("night", api=1, needs={"files.read", "jobs"}, templates={"hello": "hello"}),
        list[str](),
    )

    @plugin.every("1h")
    async def look(ctx: Context[None]) -> None:
        for asks_for_files in (True, False):
            try:
                await (ctx.files.count() if asks_for_files else ctx.reply("night/hello"))
            except PluginError as error:
                seen.append(str(error))
        await ctx.jobs.add("work", {})

    @plugin.job("work")
    async def work(ctx: Context[None], payload: dict[str, Any]) -> None:
        await ctx.reply("night/hello")

    async with FakeBot(plugin) as bot:
        await bot.jobs.run()
        with pytest.raises(PluginError, match="nobody waits"):
            await bot.pass_time(HOUR)
        assert "ctx.files has nobody's files" in seen[0]
        assert "nobody waits for the reply 'night/hello'; speak to somebody with ctx.tell" in seen[1]


def declared(code: str) -> str:
    """Mistake in a declaration."""
    names: dict[str, Any] = {"plugin": Plugin[None]("press"), "Context": Context, "Any": Any}
    with pytest.raises(PluginError) as caught:
        exec(code, names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("decorator", "function", "words"),
    [
        (
            "job('Print')",
            "async def f(ctx, p: dict[str, Any]): ...",
            "lower-case letters, digits and _ only",
        ),
        ("job('print')", "def f(ctx, p: dict[str, Any]): ...", "f is no coroutine; write async def"),
        ("job('print')", "async def f(ctx): ...", "f is given a context and a payload, but: too many"),
        (
            "job('print')",
            "async def f(ctx, p): ...",
            "write payload: dict[str, Any], or a frozen dataclass",
        ),
        ("job('print')", "async def f(ctx, p: 'Page'): ...", "declare the payload's class at the top"),
        (
            "job('print', limit_s=0)",
            "async def f(ctx, p: dict[str, Any]): ...",
            "write seconds, 3600 at most",
        ),
        ("every('1 hour')", "async def f(ctx): ...", 'write it like "30m"'),
        ("every('1s')", "async def f(ctx): ...", 'write it like "30m"'),
        (
            "daily('08:00', weekday='mon')",
            "async def f(ctx): ...",
            "'mon' is no weekday; write one of monday",
        ),
        ("every('1h')", "async def f(ctx, p): ...", "f is given a context, but: missing"),
        ("every('1h')", "def f(ctx): ...", "f is no coroutine; write async def"),
        ("every('1h', limit_s=9999)", "async def f(ctx): ...", "write seconds, 3600 at most"),
        ("daily('8:00')", "async def f(ctx): ...", 'write it like "08:00"'),
    ],
)
def test_a_mistake_in_a_declaration_is_found_when_the_module_is_loaded(
    decorator: str, function: str, words: str
) -> None:
    mistake = declared(f"@plugin.{decorator}\n{function}")
    assert mistake.startswith(("job ", "schedule "))
    assert "of plugin 'press' (<string>, line 1): " in mistake
    assert words in mistake


@pytest.mark.parametrize("decorator", ["job('print')", "every('1h')", "daily('08:00')"])
def test_a_name_is_declared_once(decorator: str) -> None:
    payload = ", p: dict[str, Any]" if "job" in decorator else ""
    once = f"@plugin.{decorator}\nasync def f(ctx{payload}): ...\n"
    assert "is declared twice; give one of" in declared(once + once)


async def test_a_job_has_the_rights_of_its_person_when_it_is_done() -> None:
    plugin, seen = Plugin[None]("late", api=1, needs={"files.read", "jobs"}), list[int | str]()

    @plugin.command("later", usage="later")
    async def later(ctx: Context[None]) -> None:
        """Look later."""
        await ctx.jobs.add("look", {}, after=timedelta(hours=1))

    @plugin.job("look")
    async def look(ctx: Context[None], payload: dict[str, Any]) -> None:
        try:
            seen.append(await ctx.files.count())
        except NotAllowed:
            seen.append("no rights")

    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a", in_room(ALICE, "alice"))
        await bot.say("keep", in_room(ALICE, "alice"))
        for there in ({ALICE, BOB}, {ALICE}):
            await bot.say("later", through_room(BOB, "bob"))
            bot.rooms.occupants[ROOM] = frozenset(there)
            await bot.pass_time(timedelta(hours=2))
    assert seen == [1, "no rights"]


async def test_a_function_that_cancels_itself_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    plugin, tries = Plugin[None]("moody", api=1, needs={"jobs", "store"}), list[int]()

    @plugin.command("mood", usage="mood HOW")
    async def mood(ctx: Context[None], how: str) -> None:
        """Be in a mood."""
        if how == "later":
            await ctx.jobs.add("sulk", {})
        elif how == "store":
            await ctx.store.change("mood", sulk_at_once, 0)
        else:
            raise SystemExit if how == "out" else asyncio.CancelledError

    def sulk_at_once(_: Any) -> Any:
        raise asyncio.CancelledError

    @plugin.job("sulk")
    async def sulk(ctx: Context[None], payload: dict[str, Any]) -> None:
        tries.append(1)
        raise asyncio.CancelledError

    @plugin.on(FileStored)
    async def hear(ctx: Context[None], event: FileStored) -> None:
        raise asyncio.CancelledError

    async with FakeBot(plugin, may_fail=True) as bot:
        for how in ("now", "out", "store"):
            [said] = await bot.say(f"mood {how}")
            assert "went wrong" in said
        stored, incident = await bot.drop("a.txt", b"a")
        assert stored.startswith("Stored")
        assert "went wrong" in incident
        await bot.say("mood later")
        bot.may_fail = True
        await bot.jobs.run()
        assert len(tries) == 1
    assert "a plugin's function was cancelled by itself" in caplog.text


async def test_a_plugin_counts_time_by_the_clock_of_the_bot() -> None:
    plugin, seen = Plugin[None]("clock", api=1), list[datetime]()

    @plugin.command("time", usage="time")
    async def time(ctx: Context[None]) -> None:
        """Look at the clock."""
        seen.append(ctx.now)

    async with FakeBot(plugin) as bot:
        await bot.say("time")
        await bot.pass_time(timedelta(days=1))
        await bot.say("time")
        assert seen == [bot.now - timedelta(days=1), bot.now]


async def test_a_test_sees_what_jobs_raise() -> None:
    plugin, done = Plugin[None]("broken", api=1, needs={"jobs"}), list[str]()

    @plugin.command("go", usage="go COUNT")
    async def go(ctx: Context[None], count: int) -> None:
        """Begin."""
        for number in range(count):
            await ctx.jobs.add("fail", {"number": number})
        await ctx.jobs.add("work", {})

    @plugin.job("fail")
    async def fail(ctx: Context[None], payload: dict[str, int]) -> None:
        raise LookupError(payload["number"])

    @plugin.job("work")
    async def work(ctx: Context[None], payload: dict[str, Any]) -> None:
        done.append("work")

    async with FakeBot(plugin) as bot:
        await bot.say("go 1")
        with pytest.raises(LookupError):
            await bot.jobs.run()
        await bot.say("go 2")
        with pytest.raises(ExceptionGroup) as raised:
            await bot.jobs.run()
        assert [str(each) for each in raised.value.exceptions] == ["0", "1"]
        assert done == ["work", "work"]


async def test_a_key_of_a_plugin_is_none_of_its_schedules() -> None:
    plugin, cancelled, done = Plugin[None]("keys", api=1, needs={"jobs"}), list[bool](), list[str]()

    @plugin.every("1h")
    async def look(ctx: Context[None]) -> None:
        done.append("look")

    @plugin.job("work")
    async def work(ctx: Context[None], payload: dict[str, Any]) -> None:
        done.append("work")

    @plugin.command("go", usage="go")
    async def go(ctx: Context[None]) -> None:
        """Cancel it."""
        cancelled.append(await ctx.jobs.cancel("schedule look"))
        cancelled.append(await ctx.jobs.add("work", {}, key="schedule look"))

    async with FakeBot(plugin) as bot:
        await bot.say("go")
        assert cancelled == [False, True]
        await bot.pass_time(HOUR)
    assert sorted(done) == ["look", "work"]
