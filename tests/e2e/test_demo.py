"""``filebot demo`` with plugins of an author, who wants to see them in a real bot."""

from pathlib import Path

from tests.support.command_line import filebot
from tests.support.manual import example_with

RAISING = """from filebot.plugin import Context, FileStored, Plugin

plugin = Plugin[None]("raising", api=1)


@plugin.on(FileStored, durable=True)
async def count(ctx: Context[None], event: FileStored) -> None:
    1 / 0
"""


async def test_the_demo_loads_plugins_and_says_which_it_cannot(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    (folder / "words.py").write_text(example_with('"words/counted"'))
    (folder / "broken.py").write_text(
        'from filebot.plugin import Plugin\n\nplugin = Plugin[None]("broken")\n'
    )
    (folder / "raising.py").write_text(RAISING)
    code, said = await filebot("demo", "--once", "--plugins", str(folder))
    assert code == 0, said
    assert "all 11 steps went as they should" in said
    assert 'does not say for which API it is; write Plugin("broken", api=1, ...)' in said
    assert "words.py" not in said
    assert "plugin raising, " in said
    assert f"{folder / 'raising.py'}, line 8: ZeroDivisionError: division by zero" in said


async def test_the_demo_says_what_keeps_its_bot_from_starting(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    code, said = await filebot("demo", "--once", "--plugins", str(folder))
    assert code == 1
    assert "Traceback" not in said
    assert f"run chmod go-w {folder}" in said
