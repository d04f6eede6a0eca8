"""``filebot plugin new`` and ``test``: a new plugin works at once, for its author and for its operator."""

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from filebot.cli import plugin_new, plugin_tests
from tests.unit.cli.conftest import Call, Write

ROOT = Path(__file__).parents[3]


def run(*command: str | Path, cwd: Path, python_path: Path | None = None) -> str:
    """Run a command that succeeds; return what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    if python_path is not None:
        environment["PYTHONPATH"] = str(python_path)
    words = [*map(str, command)]
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=80
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def module(name: str, *words: str | Path, cwd: Path, python_path: Path | None = None) -> str:
    return run(sys.executable, "-m", name, *words, cwd=cwd, python_path=python_path)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """The interpreter of an environment of its own.

    No registry is asked: it borrows filebot, its dependencies and the build backend by a .pth file.
    """
    folder = tmp_path / "venv"
    module("venv", "--without-pip", folder, cwd=tmp_path)
    [site_packages] = folder.glob("lib/python*/site-packages")
    (site_packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return folder / "bin" / "python"


def test_a_new_package_is_installed_by_pip_and_found(call: Call, venv: Path, tmp_path: Path) -> None:
    result = call("new", "tally_words")
    assert (result.exit_code, result.output.splitlines()[0]) == (0, "Wrote filebot-tally-words. Next:")
    project = tmp_path / "filebot-tally-words"
    pip = ("--disable-pip-version-check", "--python", venv)
    # Its dependency is there already, within the bounds that it names: an index is not needed.
    module("pip", *pip, "install", "--quiet", "--no-index", "--no-build-isolation", project, cwd=tmp_path)
    listed = run(venv, "-m", "filebot", "plugin", "list", cwd=tmp_path)
    [line] = [line for line in listed.splitlines() if line.startswith("tally_words ")]
    assert line.split() == ["tally_words", "0.1", "filebot-tally-words", "enabled", "1", "tally_words"]
    # Its words were installed, too.
    said = (
        "import asyncio, filebot_tally_words\n"
        "from filebot.testing import FakeBot\n"
        "async def main():\n"
        "    async with FakeBot(filebot_tally_words.plugin) as bot:\n"
        "        print(filebot_tally_words.__file__, await bot.say('tally_words a b'))\n"
        "asyncio.run(main())\n"
    )
    where, _, words = run(venv, "-c", said, cwd=tmp_path).strip().partition(" ")
    assert where.startswith(str(venv.parent.parent))
    assert words == "['2 words.']"


def test_a_new_package_passes_its_tests(call: Call, tmp_path: Path) -> None:
    assert call("new", "tally", "--folder", "deep/er").exit_code == 0
    project = tmp_path / "deep/er/filebot-tally"
    assert "3 passed" in module("filebot", "plugin", "test", project, "-q", cwd=tmp_path, python_path=ROOT)
    assert "3 passed" in module("pytest", "-q", cwd=project, python_path=ROOT)


def test_a_new_package_passes_all_checks(call: Call, tmp_path: Path) -> None:
    assert call("new", "tally").exit_code == 0
    project = tmp_path / "filebot-tally"
    assert call("check", str(project)).output == "fine\n"
    assert "no issues found in 2" in module("mypy", "--strict", cwd=project, python_path=ROOT)
    module("ruff", "check", ".", cwd=project)
    module("ruff", "format", "--check", ".", cwd=project)


def test_a_new_file_passes_its_tests_and_is_clean(call: Call, tmp_path: Path) -> None:
    result = call("new", "tally", "--single-file")
    assert result.exit_code == 0
    assert "pip" not in result.output
    assert call("check", "tally.py").output == "fine\n"
    assert "2 passed" in module(
        "filebot", "plugin", "test", "tally.py", "-q", cwd=tmp_path, python_path=ROOT
    )
    module("ruff", "check", ".", cwd=tmp_path)
    module("ruff", "format", "--check", ".", cwd=tmp_path)


@pytest.mark.thorough  # mypy reads all of filebot, as it does for a new package
def test_a_new_file_is_typed(call: Call, tmp_path: Path) -> None:
    assert call("new", "tally", "--single-file").exit_code == 0
    mypy = module("mypy", "--strict", "tally.py", "tests", cwd=tmp_path, python_path=ROOT)
    assert "no issues found in 2" in mypy


def test_nobody_else_can_write_what_is_new(call: Call, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert call("new", "tally").exit_code == 0
        assert call("new", "tally", "--single-file").exit_code == 0
    finally:
        os.umask(before)
    made = [*(tmp_path / "filebot-tally").rglob("*"), tmp_path / "tally.py", tmp_path / "tests"]
    assert len(made) > 12
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o022 for path in made)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../tally", "is no name for a plugin"),
        ("a/b", "is no name for a plugin"),
        ("", "is no name for a plugin"),
        ("Tally", "is no name for a plugin"),
        ("tally-words", "is no name for a plugin"),
        ("2tally", "is no name for a plugin"),
        ("tally_", "is no name for a plugin"),  # pip takes no package filebot-tally-
        ("_tally", "is no name for a plugin"),
        ("zähler", "is no name for a plugin"),
        ("class", "is no name for a plugin"),
        ("t" * 31, "at most 30"),
        ("plugins", "its package is filebot_..."),
        ("filebot_tally", "name what it does"),
        ("claim", "of its own"),
        ("ls", "of its own"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--single-file",)])
def test_a_name_that_cannot_be_used_is_told_and_nothing_written(
    call: Call, tmp_path: Path, name: str, says: str, form: tuple[str, ...]
) -> None:
    result = call("new", *form, "--", name)
    assert result.exit_code == 2
    assert says in result.output
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["random", "click"])
def test_a_file_is_not_named_as_another_module(call: Call, tmp_path: Path, name: str) -> None:
    result = call("new", name, "--single-file")
    assert result.exit_code == 2
    assert f"there is a module {name} already" in result.output
    assert not any(tmp_path.iterdir())


def test_nothing_is_overwritten(call: Call, write: Write, tmp_path: Path) -> None:
    (tmp_path / "filebot-tally").mkdir()
    assert call("new", "tally").exit_code == 2
    assert not any((tmp_path / "filebot-tally").iterdir())
    test = write("tests/test_tally.py", "mine")
    result = call("new", "tally", "--single-file")
    assert result.exit_code == 2
    assert "tests/test_tally.py is there already; nothing was written" in result.output
    assert test.read_text() == "mine"
    assert not (tmp_path / "tally.py").exists()


def test_where_nothing_can_be_written_it_leaves_with_1(call: Call, write: Write) -> None:
    write("file", "")
    result = call("new", "tally", "--folder", "file/below")
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_what_a_failure_leaves_half_written_is_removed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plugin_new, "_copy", full)
    assert call("new", "tally").exit_code == 1
    assert not any(tmp_path.iterdir())


def test_without_pytest_it_says_what_to_install(
    call: Call, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("tally.py", "")
    monkeypatch.setattr(plugin_tests, "_NEEDED", {"no_pytest": "pytest", "no_asyncio": "pytest-asyncio"})
    result = call("test", "tally.py")
    assert result.exit_code == 2
    assert "pytest and pytest-asyncio cannot be imported" in result.output
    assert "pip install pytest pytest-asyncio" in result.output


def test_without_tests_it_says_what_to_write(call: Call, write: Write) -> None:
    file = write("tally.py", "")
    result = call("test", str(file))
    assert result.exit_code == 2
    assert f"write {file.parent / 'tests/test_tally.py'}" in result.output
    assert call("test", "nowhere.py").exit_code == 2
    (file.parent / "empty").mkdir()
    assert call("test", "empty").exit_code == 2


def test_a_test_that_fails_has_the_exit_code_of_pytest(call: Call, write: Write, tmp_path: Path) -> None:
    write("tally.py", "")
    write(
        "tests/test_tally.py",
        "def test_one():\n    import tally\n    assert False\n\ndef test_two():\n    pass\n",
    )
    command = [sys.executable, "-m", "filebot", "plugin", "test", "tally.py", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for more, code in ([], 1), (["-k", "two"], 0), (["-k", "none"], 5):
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout
