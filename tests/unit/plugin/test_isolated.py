"""Functions of a plugin in processes of their own, in a fake bot."""

import asyncio
import zlib
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import IsolatedError
from filebot.plugin import Context, Plugin
from filebot.plugin_loader import load
from filebot.replies import Replies
from filebot.testing import BOB, FakeBot
from tests.support import isolated_functions as functions
from tests.support.manual import example_with


def squeeze(folder: Path) -> Plugin[Any]:
    """The example, loaded from a file as the bot does."""
    folder.chmod(0o700)
    (folder / "squeeze.py").write_text(example_with("squeezed_size"))
    [found] = [each.plugin for each in load({}, Replies(), paths=[folder]) if each.plugin.name == "squeeze"]
    return found


async def test_the_example_of_an_isolated_function_works(tmp_path: Path) -> None:
    async with FakeBot(squeeze(tmp_path)) as bot:
        assert await bot.say("squeeze tea times 1000") == [
            f"{len(zlib.compress(b'tea' * 1000))} bytes when squeezed."
        ]
        assert await bot.say("squeeze tea times 1000000000") == ["That is too much for me."]


async def test_one_that_fails_is_an_incident_of_its_command_alone() -> None:
    plugin = Plugin[None]("rough", api=1)

    @plugin.command("go", usage="go")
    async def go(ctx: Context[None]) -> None:
        """Crash."""
        await ctx.run_isolated(functions.crash)

    async with FakeBot(plugin, may_fail=True) as bot:
        [said] = await bot.say("go")
        assert "went wrong" in said
        [said] = await bot.say("help all", BOB)
        assert "go" in said


async def test_two_processes_of_a_plugin_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin, running, most, go_on = Plugin[None]("many", api=1), set[int](), list[int](), asyncio.Event()

    async def fake(function: Any, args: tuple[int], _: Any) -> int:
        running.add(args[0])
        most.append(len(running))
        await go_on.wait()
        running.discard(args[0])
        return args[0]

    monkeypatch.setattr("filebot.plugin.isolated.call_isolated", fake)

    @plugin.command("go", usage="go")
    async def go(ctx: Context[None]) -> None:
        """Begin many."""
        calls = [asyncio.create_task(ctx.run_isolated(functions.double, each)) for each in range(6)]
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*calls) == [*range(6)]

    async with FakeBot(plugin) as bot:
        assert await bot.say("go") == []
    assert max(most) == 2


def test_the_error_is_exported_for_plugins() -> None:
    assert IsolatedError("work", "time", "took over 1 s").reason == "time"
