"""What the documents show is what the code does."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from filebot.loader import bundled
from filebot.testing import FakeBot

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/plugins.md")


def python_examples(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)


def plugin_example(document: str) -> ModuleType:
    module = ModuleType("words")
    exec(compile(python_examples(document)[0], document, "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_the_example_of_a_plugin_works(document: str) -> None:
    async with FakeBot(plugin_example(document).plugin) as bot:
        assert await bot.say("count one two three") == ["3 words."]
        assert "Count the words of a text." in (await bot.say("help count"))[0]


async def test_the_example_of_a_plugins_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "words", plugin_example("docs/plugins.md"))
    test = ModuleType("test_words")
    exec(compile(python_examples("docs/plugins.md")[1], "docs/plugins.md", "exec"), test.__dict__)
    await test.test_words_are_counted()


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`([a-z]+)[ `]", readme))
    assert {command.name for plugin in bundled() for command in plugin.commands} <= shown


def test_the_first_screen_of_the_readme_has_a_transcript_and_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:45])
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert "get annual" in first_screen


@pytest.mark.parametrize(
    "document",
    ["README.md", "ARCHITECTURE.md", "docs/plugins.md", "docs/operating.md", "docs/conformance.md"],
)
def test_every_path_that_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:filebot|plugins|tests|benchmarks|docs|scripts)/[\w./-]*)`", text))
    named |= set(re.findall(r"\]\(([\w./-]+\.md)\)", text))
    folder = (ROOT / document).parent
    missing = [path for path in named if not (ROOT / path).exists() and not (folder / path).exists()]
    assert not missing
