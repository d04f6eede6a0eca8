"""Command ``filebot plugin new``: a plugin with its tests, to begin with.

The files in ``skeleton`` are copied; words in capitals, in their names as well, are replaced.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from keyword import iskeyword
from pathlib import Path
from typing import Final

from filebot import __version__
from filebot.errors import PluginError
from filebot.plugin.declare import LoadedPlugin, commands_of
from filebot.plugin.needs import API
from filebot.plugin_loader import INSTALLED_PACKAGE, bundled

LONGEST_NAME: Final = 30

_SKELETON: Final = Path(__file__).parent / "skeleton"
_MARK: Final = ".in"
"""End of the names in ``skeleton``, so that no tool takes these files for code of filebot."""
_WORDS: Final = re.compile(
    r"\b(PLUGIN|DISTRIBUTION|LOWEST|BELOW|API)\b|(?<=filebot_)PLUGIN|(?<=test_)PLUGIN"
)


def write_package(name: str, folder: Path) -> Path:
    """Write a package into a new folder below ``folder``, and return that.

    Raises PluginError or OSError.
    """
    examine_name(name)
    target = folder / f"filebot-{name.replace('_', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        target.mkdir(mode=0o755)
    except FileExistsError:
        raise PluginError(f"{target} is there already; nothing was written") from None
    try:
        _copy(_SKELETON / "package", target, _values(name))
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def write_file(name: str, folder: Path) -> Path:
    """Write one file, and its tests into ``tests`` beside it; return the file.

    Raises PluginError or OSError.
    """
    examine_name(name)
    if name in sys.stdlib_module_names or PathFinder.find_spec(name) is not None:
        raise PluginError(
            f"there is a module {name} already, and tests would import that; give another name"
        )
    target = folder / f"{name}.py"
    for file in (target, folder / "tests" / f"test_{name}.py"):
        if file.exists():
            raise PluginError(f"{file} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    _copy(_SKELETON / "file", folder, _values(name))
    return target


def examine_name(name: str) -> None:
    """Raise PluginError for a name that no new plugin can have."""
    is_plain = name.isascii() and name.isidentifier() and name == name.lower()
    if not is_plain or iskeyword(name) or name.strip("_") != name or len(name) > LONGEST_NAME:
        raise PluginError(
            f"{name!r} is no name for a plugin: write lower-case letters, digits and _, at most "
            f"{LONGEST_NAME}, begin with a letter, and do not end with _; --folder says where it is written"
        )
    if name.startswith("filebot") or f"filebot_{name}" == INSTALLED_PACKAGE:
        raise PluginError(
            f"{name!r} is no name for a plugin: its package is filebot_..., so name what it does"
        )
    plugins = [*bundled()]
    commands = commands_of(LoadedPlugin(each, None) for each in plugins)
    words = {word for command in commands.all() for word in (command.name, *command.aliases)}
    if name in words | {each.name for each in plugins}:
        raise PluginError(f"filebot has a plugin or a command {name!r} of its own; give another name")


def _values(name: str) -> Mapping[str, str]:
    major, minor, *_ = map(int, re.findall(r"\d+", __version__))
    return {
        "PLUGIN": name,
        "DISTRIBUTION": f"filebot-{name.replace('_', '-')}",
        "LOWEST": __version__,
        # A name that has to go works for one more minor version.
        "BELOW": f"{major}.{minor + 2}",
        "API": str(API),
    }


def _copy(source: Path, target: Path, values: Mapping[str, str]) -> None:
    """Copy a folder of the skeleton. Nobody but the owner can write in the copy, as the bot demands it."""

    def filled(text: str) -> str:
        return _WORDS.sub(lambda found: values[found[0]], text)

    for file in sorted(source.rglob(f"*{_MARK}")):
        place = target / filled(file.relative_to(source).as_posix().removesuffix(_MARK))
        for folder in reversed(place.relative_to(target).parents):
            (target / folder).mkdir(mode=0o755, exist_ok=True)
        made = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(made, "w", encoding="utf-8") as new:
            new.write(filled(file.read_text(encoding="utf-8")))
