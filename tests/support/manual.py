"""Examples of the manual for plugin authors."""

import re
import sys
from pathlib import Path
from types import ModuleType

from filebot.plugin import Context, Plugin
from filebot.testing import FakeBot

MANUAL = Path(__file__).parents[2] / "docs/plugins.md"


def example_with(text: str) -> str:
    """Return the one example in which this text stands."""
    written = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    [found] = [each for each in written if text in each]
    return str(found)


def module_with(text: str) -> ModuleType:
    """Return the module of the one example in which this text stands."""
    module = ModuleType("manual")
    exec(compile(example_with(text), str(MANUAL), "exec"), module.__dict__)
    return module


def write_tags(folder: Path) -> None:
    """Make a folder with the example of a plugin that has tables."""
    (folder / "tags_migrations").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    (folder / "tags.py").write_text(example_with("tags_migrations"))
    (folder / "tags_migrations" / "0001_words.py").write_text(example_with("op.create_table"))


def example(plugin: str) -> ModuleType:
    """Return the module of the example that makes this plugin."""
    written = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    [text] = [each for each in written if re.search(rf'Plugin(?:\[\w+\])?\(\s*"{plugin}"', each)]
    module = ModuleType(plugin)
    sys.modules[plugin] = module  # dataclasses look their module up there
    exec(compile(text, str(MANUAL), "exec"), module.__dict__)
    return module


async def given_context() -> Context[None]:
    """Return a context as a plugin is given it."""
    plugin, given = Plugin[None]("taking", api=1), list[Context[None]]()

    @plugin.command("take", usage="take")
    async def take(ctx: Context[None]) -> None:
        """Take it."""
        given.append(ctx)

    async with FakeBot(plugin) as bot:
        await bot.say("take")
    return given[0]
