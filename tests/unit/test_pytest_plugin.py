"""The fixture for the tests of plugins, in projects that are set up in one way and another."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = '''"""Echo."""
from filebot.plugin import Context, Plugin, Words

plugin = Plugin[None]("echo", api=1, templates={"said": "{{ text }}"})


@plugin.command("echo", usage="echo TEXT")
async def echo(ctx: Context[None], text: Words) -> None:
    """Say it again."""
    await ctx.reply("echo/said", text=text)
'''

TEST = """import echo
from filebot.testing import BotWith


async def test_it_answers(bot_with: BotWith, tmp_path: object) -> None:
    bot = await bot_with(echo.plugin)
    other = await bot_with(echo.plugin, disabled={"announce"})
    assert await bot.say("echo a") == await other.say("echo a") == ["a"]


async def test_it_fails(bot_with: BotWith) -> None:
    bot = await bot_with(echo.plugin)
    assert await bot.say("echo a") == ["b"]
"""

PLAIN = """def test_nothing() -> None:
    import sys
    ours = ("filebot.testing", "sqlalchemy", "slixmpp")
    assert not [each for each in sys.modules if each.startswith(ours)]
"""


def outcome(folder: Path, *options: str) -> str:
    """Run pytest in a folder and return its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", folder, "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:asyncio"),
        ("-o", "asyncio_mode=auto"),
        ("-o", "asyncio_mode=strict"),
    ],
    ids=" ".join,
)
def test_tests_with_the_fixture_run_whatever_runs_coroutines(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "echo.py").write_text(PLUGIN)
    (tmp_path / "test_echo.py").write_text(TEST)
    said = outcome(tmp_path, "-o", "pythonpath=.", *options)
    assert "1 failed, 1 passed" in said, said
    assert "FAILED test_echo.py::test_it_fails" in said


def test_who_does_not_use_it_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(PLAIN)
    assert "1 passed" in outcome(tmp_path)


def test_a_test_that_is_no_coroutine_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text("def test_it(bot_with) -> None: ...\n")
    assert "bot_with is for tests that are `async def`" in outcome(tmp_path)
