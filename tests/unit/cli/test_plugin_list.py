"""``filebot plugin list``: every plugin in a line, with its state, whatever it does when it is loaded."""

from pathlib import Path

import pytest

from filebot import __version__
from filebot.cli import bounded_load, plugin_survey
from tests.unit.cli.conftest import GOOD, Call, Write
from tests.unit.test_plugin_packages import install

FOLDER = '[plugins]\npaths = ["mine"]\n'


def line_of(name: str, output: str) -> list[str]:
    [line] = [line for line in output.splitlines() if line.startswith(f"{name} ")]
    return line.split()


def test_bundled_plugins_are_listed_without_config_and_data(call: Call, tmp_path: Path) -> None:
    result = call("list")
    assert result.exit_code == 0
    assert line_of("claim", result.output)[:7] == [
        *("claim", __version__, "filebot", "enabled", "1", "files.own,", "files.read"),
    ]
    assert {"1 job", "1 room setting"} <= set(result.output.replace("  ", ", ").split(", "))
    assert not any(tmp_path.iterdir())


def test_what_the_config_says_is_heeded(call: Call, config: Write, write: Write) -> None:
    config(FOLDER + 'disabled = ["claim"]\n')
    file = write("mine/greeting.py", GOOD)
    result = call("list")
    assert result.exit_code == 0
    assert line_of("claim", result.output)[3] == "disabled"
    assert line_of("greeting", result.output) == [*("greeting", "-", str(file), "enabled", "1", "greet")]
    assert not (file.parent.parent / "data").exists()


def test_a_package_is_listed_with_its_version(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path / "site")
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", "good", GOOD)
    result = call("list")
    assert line_of("greeting", result.output)[:4] == ["greeting", "1.0", "good", "enabled"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_library", ", line 1: ModuleNotFoundError: No module named 'no_such_library'"),
        ("x = 1\n\nx = x / 0", ", line 3: ZeroDivisionError: division by zero"),
        ("def f(:", "invalid syntax"),
        ("raise SystemExit(3)", ", line 1: SystemExit: 3"),
        ("from filebot.plugin import Plugin\nplugin = Plugin[None]('odd')", 'write Plugin("odd", api=1'),
        ("plugin = 1", "it has no variable named plugin"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_costs_no_other(
    call: Call, config: Write, write: Write, source: str, says: str
) -> None:
    config(FOLDER)
    file = write("mine/odd.py", source)
    write("mine/zgreeting.py", GOOD)
    result = call("list")
    assert result.exit_code == 1
    assert line_of("odd", result.output)[:4] == ["odd", "-", str(file), "failed"]
    assert line_of("greeting", result.output)[3] == "enabled"
    [problem] = [line for line in result.output.splitlines() if line.startswith("✗")]
    assert problem.startswith(f"✗ odd ({file}): ")
    assert says in problem


def test_a_module_that_never_ends_is_told_with_its_line(
    call: Call, config: Write, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_survey, "load_bounded", lambda load: bounded_load.load_bounded(load, 0.5))
    config(FOLDER)
    source = "import os, time\n\nwhile not os.path.exists('stop'):\n    time.sleep(0.1)\n"
    file = write("mine/slow.py", source)
    write("mine/zgreeting.py", GOOD)
    result = call("list")
    (file.parent.parent / "stop").touch()
    assert result.exit_code == 1
    assert f"its module did not end within 0.5 s; it is at {file}, line " in result.output
    assert line_of("greeting", result.output)[3] == "enabled"


def test_nothing_is_run_that_others_can_write(
    call: Call, config: Write, write: Write, tmp_path: Path
) -> None:
    config(FOLDER)
    write("mine/greeting.py", "open('run', 'w')").chmod(0o666)
    result = call("list")
    assert result.exit_code == 1
    assert "config.toml line 5: plugins.paths: " in result.output
    assert not (tmp_path / "run").exists()


def test_mistakes_in_settings_are_told_with_their_line(call: Call, config: Write) -> None:
    config("[plugins.files]\npgae_size = 1\n")
    result = call("list")
    assert result.exit_code == 1
    assert "✗ config.toml line 5: plugins.files.pgae_size: unknown key" in result.output


@pytest.mark.parametrize("words", [("--config", "nowhere.toml"), ("--config", ".")])
def test_a_config_that_is_not_there_is_told(call: Call, words: tuple[str, ...]) -> None:
    assert call("list", *words).exit_code == 2
