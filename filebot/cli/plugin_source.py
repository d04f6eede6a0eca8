"""The plugin at a path that its author names: one file, a package, or a project with a pyproject.toml."""

import importlib
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final

from filebot.errors import PluginError
from filebot.plugin import Plugin
from filebot.plugin_files import PluginFiles, plugin_of
from filebot.plugin_loader import ENTRY_POINTS

PROJECT: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class PluginSource:
    """Code of one plugin."""

    path: Path
    """Its file, or the folder of its package."""
    root: Path
    """Folder from which its module is imported."""
    entry_point: str
    """Object to import, such as ``filebot_words:plugin``; empty for a plugin that is one file."""

    def load(self) -> Plugin[Any]:
        """Run its module as the bot would. Raises PluginError, and whatever the module raises."""
        if not self.entry_point:
            return PluginFiles().plugin_in(self.path)
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
            importlib.invalidate_caches()
        point = EntryPoint("", self.entry_point, ENTRY_POINTS)
        found = point.load()
        file = getattr(sys.modules[point.module], "__file__", None)
        if file is None or not Path(file).resolve().is_relative_to(self.root.resolve()):
            raise PluginError(
                f"another module {point.module} is in the way: {file}; give yours another name"
            )
        return plugin_of(found)

    def modules(self) -> list[Path]:
        """Return the files of its code."""
        if not self.path.is_dir():
            return [self.path]
        return sorted(file for file in self.path.rglob("*.py") if file.is_file())


def sources_at(path: Path) -> list[PluginSource]:
    """Return the plugins at a path, one at least. Raises PluginError."""
    path = path.absolute()
    if path.is_file():
        if path.suffix != ".py":
            raise PluginError(f"{path} is no Python file; name a .py file, or the folder of a package")
        return [PluginSource(path, path.parent, "")]
    if (path / PROJECT).is_file():
        return [_announced(path, value) for value in _entry_points(path / PROJECT)]
    if (path / "__init__.py").is_file():
        return [PluginSource(path, path.parent, path.name)]
    raise PluginError(
        f"{path} has no plugin: neither {PROJECT} nor __init__.py; for a plugin that is one file, name that"
    )


def _entry_points(project: Path) -> list[str]:
    try:
        tables = tomllib.loads(project.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError(f"{project} cannot be read: {error}") from error
    found: Any = tables
    for key in ("project", "entry-points", ENTRY_POINTS):
        found = found.get(key, {}) if isinstance(found, dict) else {}
    values = (
        [value for value in found.values() if isinstance(value, str)] if isinstance(found, dict) else []
    )
    if not values:
        raise PluginError(
            f'{project} announces no plugin; write [project.entry-points."{ENTRY_POINTS}"] with a line '
            'such as words = "filebot_words"'
        )
    return values


def _announced(project: Path, value: str) -> PluginSource:
    module = value.partition(":")[0].strip()
    parts = module.split(".")
    for root in (project / "src", project):
        place = root.joinpath(*parts)
        if (place / "__init__.py").is_file():
            return PluginSource(place, root, value)
        if place.with_name(f"{place.name}.py").is_file():
            return PluginSource(place.with_name(f"{place.name}.py"), root, value)
    raise PluginError(f"{project / PROJECT}: there is no module {module}, neither here nor in src")
