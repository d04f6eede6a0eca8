"""What the documents show is what the code does."""

import configparser
import re
import shlex
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


def test_the_documented_installation_and_its_unit_speak_of_the_same_user_program_and_folders() -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    [shell], [ini] = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("sh", "ini"))
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # as its documentation says
    unit.read_string(ini)
    service = unit["Service"]
    program, _, _, config = shlex.split(service["ExecStart"])
    data_dir, user = service["ReadWritePaths"], service["User"]
    assert data_dir == f"/var/lib/{service['StateDirectory']}"
    lines = shell.splitlines()
    as_user = f"runuser -u {user} -- {program}"
    assert f"{as_user} init --config {config} --data-dir {data_dir}" in lines
    assert f"{as_user} check --config {config}" in lines
    assert f"install -d -m 700 -o {user} -g {user} {Path(config).parent} {data_dir}" in lines
    assert any(line.startswith("useradd ") and line.endswith(f" {user}") for line in lines)
