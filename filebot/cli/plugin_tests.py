"""Command ``filebot plugin test``: pytest with what the tests of a plugin need."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from filebot.cli.plugin_source import PROJECT, sources_at
from filebot.errors import PluginError

_NEEDED: Final = {"pytest": "pytest", "pytest_asyncio": "pytest-asyncio"}
_OPTIONS: Final = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function")


def run_tests(path: Path, arguments: Sequence[str]) -> int:
    """Run the tests of the plugin at a path, and return pytest's exit code. Raises PluginError."""
    missing = [name for module, name in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise PluginError(
            f"{' and '.join(missing)} cannot be imported; install: pip install {' '.join(missing)}"
        )
    roots = [str(each.root) for each in sources_at(path)]
    options = [] if _has_settings(path) else [word for each in _OPTIONS for word in ("-o", each)]
    before = os.environ.get("PYTHONPATH")
    python_path = os.pathsep.join([*dict.fromkeys(roots), *([before] if before else [])])
    command = [sys.executable, "-m", "pytest", *options, str(_tests_of(path)), *arguments]
    # No time limit: whoever runs tests sees them run.
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": python_path}, check=False).returncode  # noqa: S603


def _tests_of(path: Path) -> Path:
    """Return the file or folder of a plugin's tests. Raises PluginError if there is none."""
    if path.is_file():
        name = f"test_{path.stem}.py"
        places = [path.parent / "tests" / name, path.parent / name]
    elif (path / PROJECT).is_file():
        places = [path / "tests", path]
    else:
        places = [path / "tests", path.parent / "tests"]
    for place in places:
        if place.exists():
            return place
    raise PluginError(f"there are no tests of {path}; write {places[0]}")


def _has_settings(path: Path) -> bool:
    """Whether a project has settings of its own for pytest."""
    if path.is_file():
        return False
    project = path / PROJECT
    if (path / "pytest.ini").is_file():
        return True
    return project.is_file() and "[tool.pytest" in project.read_text(encoding="utf-8", errors="replace")
