"""Each fault in each hook of a plugin: the first line of the log says where, and a fake bot raises it."""

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from filebot.errors import PluginError
from filebot.failures import blame, failure_of, observed, origin_of, placed, report
from filebot.plugin import (
    CommandCalled,
    Context,
    FileOffered,
    FileStored,
    Life,
    Plugin,
)
from filebot.testing import ALICE, ROOM, FakeBot

TEMPLATES: Final = {"told": "First.\n{{ nmae }}", "shown": "{{ value }}"}


@dataclass(frozen=True)
class Settings:
    """Settings that nobody may read in a log."""

    token: str = "a-secret-token"
    url: str = "https://bob:hunter2@example.org/"


# --- faults: each raises in a line of its own that ends with "# here" ----------------------------


async def bare(ctx: Context[Settings]) -> None:
    raise KeyError("colour")  # here


async def deep(ctx: Context[Settings]) -> None:
    int("x")  # here


async def no_attribute(ctx: Context[Settings]) -> None:
    ctx.sendr  # type: ignore[attr-defined]  # noqa: B018  # here


async def no_value(ctx: Context[Settings]) -> None:
    ctx.render("broken/told", name="a")  # here


async def no_template(ctx: Context[Settings]) -> None:
    ctx.render("broken/" + "shwon", value=1)  # here


async def no_event(ctx: Context[Settings]) -> None:
    await ctx.emit("stored")  # type: ignore[arg-type]  # here


async def no_need(ctx: Context[Settings]) -> None:
    await getattr(ctx, "store").get("a")  # noqa: B009  # here


async def a_secret(ctx: Context[Settings]) -> None:
    raise ValueError(f"no answer to {ctx.settings.token} of https://eve:pass@example.net")  # here


FAULTS: Final[dict[Callable[[Context[Settings]], Awaitable[None]], str]] = {
    bare: "KeyError: 'colour'",
    deep: "ValueError: invalid literal for int() with base 10: 'x'",
    no_attribute: "object has no attribute 'sendr'; did you mean 'sender'?",
    no_value: "template broken/told, line 2: 'nmae' is undefined; did you mean 'name'?",
    no_template: "there is no template 'broken/shwon'; did you mean 'broken/shown'?",
    no_event: "ctx.emit is given str, which is no event",
    no_need: 'ctx.store.get needs "store", which is not declared; write Plugin("broken"',
    a_secret: "ValueError: no answer to <setting token> of https://...@example.net",
}


# --- hooks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hook:
    """Hook of a plugin."""

    declare: Callable[[Plugin[Settings]], Callable[[Any], object]]
    function: str
    """Name of the function that is declared, and how its failures call it."""
    called: str
    drops: bool = False
    says: str = ""
    room: str | None = None
    then: Callable[[FakeBot], Awaitable[object]] | None = None

    async def call(self, bot: FakeBot) -> None:
        """Let the function be called."""
        if self.drops:
            await bot.drop("a.txt", b"a")
        if self.says:
            await bot.say(self.says, room=self.room)
        if self.then is not None:
            await self.then(bot)


def run_jobs(bot: FakeBot) -> Awaitable[object]:
    return bot.jobs.run()


HOOKS: Final = {
    "command": Hook(lambda p: p.command("go", usage="go"), "alone", "command 'go'", says="go"),
    "listener": Hook(lambda p: p.on(FileStored), "about", "listener 'about'", drops=True),
    "at once": Hook(
        lambda p: p.on(FileStored, at_once=True),
        "about",
        "listener 'about'",
        drops=True,
        then=lambda bot: bot.listeners_done(),
    ),
    "durable": Hook(
        lambda p: p.on(FileStored, durable=True), "about", "listener 'about'", drops=True, then=run_jobs
    ),
    "check": Hook(lambda p: p.check(FileOffered), "about", "check 'about'", drops=True),
    "check of commands": Hook(lambda p: p.check(CommandCalled), "about", "check 'about'", says="ls"),
    "job": Hook(lambda p: p.job("work"), "work", "job 'work'", says="later", then=run_jobs),
    "schedule": Hook(
        lambda p: p.every("1h"),
        "alone",
        "schedule 'alone'",
        then=lambda bot: bot.pass_time(timedelta(hours=1)),
    ),
    "filter": Hook(lambda p: p.filter("by"), "word", "filter 'by'", says="find by:x"),
    "resolver": Hook(lambda p: p.resolver, "word", "resolver 'word'", says="info something"),
    "entry lines": Hook(
        lambda p: p.entry_lines, "about", "entry lines 'about'", drops=True, says="info a.txt"
    ),
    "room line": Hook(
        lambda p: p.room_line("broken/shown"), "word", "room line 'broken/shown'", says="room", room=ROOM
    ),
    "export": Hook(lambda p: p.export, "word", "export 'word'", then=lambda bot: bot.export_person(ALICE)),
    "forget": Hook(lambda p: p.forget, "word", "forget 'word'", then=lambda bot: bot.forget_person(ALICE)),
}


def plugin_with(hook: str, act: Callable[[Any], Awaitable[Any]]) -> Plugin[Settings]:
    """Return a plugin with one function that does something."""
    plugin = Plugin(
        "broken", api=1, settings=Settings, templates=TEMPLATES, needs={"checks", "jobs", "events"}
    )

    async def alone(ctx: Context[Settings]) -> Any:
        """Do it."""
        return await act(ctx)

    async def about(ctx: Context[Settings], it: Any) -> Any:
        return await act(ctx)

    async def work(ctx: Context[Settings], payload: dict[str, Any]) -> Any:
        return await act(ctx)

    async def word(ctx: Context[Settings], it: str) -> Any:
        return await act(ctx)

    functions: dict[str, Any] = {"alone": alone, "about": about, "work": work, "word": word}
    HOOKS[hook].declare(plugin)(functions[HOOKS[hook].function])

    @plugin.command("later", usage="later")
    async def later(ctx: Context[Settings]) -> None:
        """Do it later."""
        await ctx.jobs.add("work", {})

    return plugin


def line_of(function: Callable[..., object]) -> int:
    """Return the line of a function that goes wrong."""
    lines, first = inspect.getsourcelines(function)
    [found] = [number for number, text in enumerate(lines, first) if text.rstrip().endswith("# here")]
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("hook", HOOKS)
async def test_the_first_line_says_where_and_what(
    hook: str, fault: Callable[[Context[Settings]], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    place = f"plugin broken, {HOOKS[hook].called}, {__file__}, line {line_of(fault)}: "
    async with FakeBot(plugin_with(hook, fault), may_fail=True) as bot:
        await HOOKS[hook].call(bot)
        [failure] = bot.failures
        assert failure.line.startswith(place)
        assert FAULTS[fault] in failure.line
    logged = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert any(failure.line in each.splitlines()[0] for each in logged)
    assert "a-secret-token" not in caplog.text
    assert "pass@" not in caplog.text


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_fake_bot_raises_it(hook: str) -> None:
    with pytest.raises((KeyError, PluginError), match="colour") as caught:
        async with FakeBot(plugin_with(hook, bare)) as bot:
            await HOOKS[hook].call(bot)
    assert any("plugin broken, " in note for each in causes(caught.value) for note in notes(each))


def causes(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *causes(error.__cause__)]


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


WRONG: Final = {
    "command": "it returned int, which nobody is given",
    "listener": "it returned int, which nobody is given",
    "at once": "it returned int, which nobody is given",
    "durable": "it returned int, which nobody is given",
    "job": "it returned int, which nobody is given",
    "schedule": "it returned int, which nobody is given",
    "check": "it returned int; return None or replace(...) of the act",
    "check of commands": "it returned int; return None or replace(...) of the act",
    "filter": "returned int; return what ctx.store.having or ctx.db.having returns",
    "resolver": "it returned int; return an Entry, or None for no file",
    "entry lines": "it returned int; return a text, or None for no line",
}


@pytest.mark.parametrize("hook", WRONG)
async def test_a_wrong_value_that_is_returned_is_named_with_what_is_right(hook: str) -> None:
    async def number(ctx: Context[Settings]) -> int:
        return 12

    async with FakeBot(plugin_with(hook, number), may_fail=True) as bot:
        await HOOKS[hook].call(bot)
        [failure] = bot.failures
    assert failure.line.startswith(f"plugin broken, {HOOKS[hook].called}, {__file__}, line ")
    assert WRONG[hook] in failure.line


async def test_a_lifespan_and_its_tasks_are_named_too(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Plugin("broken", api=1, settings=Settings)

    @plugin.lifespan
    async def live(life: Life[Settings]) -> AsyncIterator[None]:
        life.start(fail(life.settings.token), "failing")
        yield
        raise LookupError("closed twice")

    async def fail(token: str) -> None:
        raise ValueError(token)

    async with FakeBot(plugin, may_fail=True) as bot:
        await bot.say("ls")
    task, closed = (each.line for each in bot.failures)
    assert task.startswith(f"plugin broken, task 'failing', {__file__}, line ")
    assert task.endswith(": ValueError: <setting token>")
    assert closed.startswith(f"plugin broken, lifespan, {__file__}, line ")
    assert closed.endswith(": LookupError: closed twice")
    assert "a-secret-token" not in caplog.text
    with pytest.raises(ExceptionGroup):
        async with FakeBot(plugin):
            pass


# --- the lines themselves ------------------------------------------------------------------------


def test_the_first_of_several_errors_and_an_error_without_an_origin_are_shown() -> None:
    group = ExceptionGroup("several", [ValueError("one"), ValueError("two")])
    assert failure_of(group).line == "ValueError: one"
    with pytest.raises(LookupError) as caught:
        dict[str, str]()["x"]
    assert failure_of(caught.value, plugin="p").line.startswith(f"plugin p, {__file__}, line ")


def test_an_error_that_refuses_attributes_has_its_origin_all_the_same() -> None:
    class Frozen(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise TypeError(name)

    error = blame(Frozen("no"), origin_of("p", "command 'a'", causes))
    blame(error, origin_of("other", "command 'b'"))
    line = inspect.getsourcelines(causes)[1]
    assert failure_of(error).line == f"plugin p, command 'a', {__file__}, line {line}: Frozen: no"
    assert placed(error) == f"Frozen: no ({__file__}, line {line})"


def test_a_missing_await_is_named() -> None:
    async def name() -> str:
        return ""

    coroutine = name()
    with pytest.raises(AttributeError) as caught:
        coroutine.upper()  # type: ignore[attr-defined]
    coroutine.close()
    assert failure_of(caught.value).line.endswith("; is there an await missing?")


def test_an_observer_sees_what_is_logged_within_alone(caplog: pytest.LogCaptureFixture) -> None:
    seen = list[str]()
    with observed(lambda failure: seen.append(failure.line)):
        report(ValueError("within"), "it goes on")
    report(ValueError("without"))
    assert seen == ["ValueError: within"]
    assert caplog.messages == ["it goes on: ValueError: within", "ValueError: without"]
