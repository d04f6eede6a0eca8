"""Tests that are not run for lack of something are named, by one process or by several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """\
import pytest

@pytest.mark.needs({needed!r})
def test_needing_ids():
    assert False

def test_needing_nothing():
    pass

@pytest.mark.thorough
def test_thorough():
    pass
"""
ROOT = Path(__file__).parents[2]


def run_pytest(folder: Path, needed: str, *options: str) -> tuple[int, str]:
    """Run pytest and return its exit code and output."""
    (folder / "test_it.py").write_text(TESTS.format(needed=needed))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "-p",
        "tests.servers.needs",
        "-p",
        "tests.servers.parts",
        "-p",
        "xdist",
    ]
    done = subprocess.run(
        [*command, *options, folder],
        cwd=ROOT,  # it makes ``tests`` importable as this repository's package
        # To import all that is installed takes four times as long as the rest.
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("processes", ["0", "2"])
def test_each_is_named_with_the_reason(tmp_path: Path, processes: str) -> None:
    code, printed = run_pytest(tmp_path, "occupant-id", "--server", "ejabberd", "-n", processes)
    assert code == 0, printed
    assert "2 passed" in printed
    assert "what ejabberd lacks: 1 of the tests" in printed
    assert "occupant-id: ejabberd 23.01 knows nothing of XEP-0421; not run for that: 1" in printed
    assert "test_it.py::test_needing_ids" in printed


def test_what_a_component_cannot_have_is_named_too(tmp_path: Path) -> None:
    code, printed = run_pytest(tmp_path, "a roster", "--mode", "component")
    assert code == 0, printed
    assert "2 passed" in printed
    assert "what Prosody or a component lacks: 1 of the tests" in printed
    assert "a roster: only accounts have a roster on the server; not run for that: 1" in printed
    assert "test_it.py::test_needing_ids" in printed


def test_where_nothing_is_lacking_all_are_run(tmp_path: Path) -> None:
    code, printed = run_pytest(tmp_path, "occupant-id")
    assert code == 1
    assert "1 failed, 2 passed" in printed


def test_a_need_that_nobody_knows_is_a_mistake(tmp_path: Path) -> None:
    code, printed = run_pytest(tmp_path, "ocupant-id", "--server", "ejabberd")
    assert code == 4
    assert "'ocupant-id'" in printed
