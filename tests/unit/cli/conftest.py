"""A folder, a config and the command line for the tests of its commands."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from filebot.cli import main

GOOD = '''
"""Greet people."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None]("greeting", api=1, templates={"said": "Good day."})


@plugin.command("greet", usage="greet")
async def greet(ctx: Context[None]) -> None:
    """Say good day."""
    await ctx.reply("greeting/said")
'''

Call = Callable[..., Result]
Write = Callable[..., Path]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Give a function that calls ``filebot plugin`` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    path, modules = [*sys.path], {*sys.modules}

    def run(*words: str, answers: str = "") -> Result:
        return CliRunner().invoke(main, ["plugin", *map(str, words)], input=answers)

    yield run
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        module = getattr(sys.modules[name], "__file__", None)
        if module is not None and Path(module).is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a file that nobody else can change."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        path.parent.chmod(0o700)
        return path

    return write


@pytest.fixture
def config(write: Write) -> Write:
    """Give a function that writes a config with some tables."""

    def write_config(tables: str = "") -> Path:
        return write("config.toml", f'[xmpp]\njid = "bot@example.org"\npassword = "x"\n{tables}')

    return write_config
