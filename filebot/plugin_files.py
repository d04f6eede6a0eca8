"""Plugins that are one file, run from their source; one that did not change is not run again."""

import importlib.util
import itertools
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.abc import ExecutionLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from filebot.errors import PluginError
from filebot.plugin import Plugin

PREFIX: Final = "filebot_local_plugins"
"""Package under which their modules are named; there is none of this name."""

_numbers: Final = itertools.count(2)


@dataclass(frozen=True, slots=True)
class _LoadedFile:
    digest: bytes
    """SHA-256 of the source."""
    module: str
    plugin: Plugin[Any]


class PluginFiles:
    """Plugins of files. Each module that was run has a name of its own, so that two versions of a plugin
    stand beside each other while one of them replaces the other.
    """

    def __init__(self, before: "PluginFiles | None" = None) -> None:
        """``before`` has those that were loaded so far."""
        self._before: dict[Path, _LoadedFile] = {} if before is None else before._loaded  # noqa: SLF001
        self._loaded: dict[Path, _LoadedFile] = {}
        self._is_over = False
        """Nobody waits for these any more; a thread may still be loading some."""

    def plugin_in(self, file: Path) -> Plugin[Any]:
        """Return the plugin of a file, of which nothing is taken from ``__pycache__``.

        Raises OSError, PluginError, and whatever its module raises.
        """
        source = file.read_bytes()
        digest = sha256(source).digest()
        loaded = self._before.get(file)
        if loaded is None or loaded.digest != digest:
            module = _run(file, source)
            try:
                loaded = _LoadedFile(digest, module.__name__, plugin_of(module))
            except BaseException:
                sys.modules.pop(module.__name__, None)
                raise
            if self._is_over:
                del sys.modules[module.__name__]
                raise PluginError("it took too long to load")
        self._loaded[file] = loaded
        return loaded.plugin

    def forget_without(self, other: "PluginFiles") -> None:
        """Take those modules from ``sys.modules`` that ``other`` does not have, and load no more."""
        if other is self:
            return
        self._is_over = True
        kept = {each.module for each in other._loaded.values()}  # noqa: SLF001 - of the same class
        for each in self._loaded.values():
            if each.module not in kept:
                sys.modules.pop(each.module, None)
        self._before = other._before = {}  # noqa: SLF001


def plugin_of(found: object) -> Plugin[Any]:
    """Return a plugin, or that of a module. Raises PluginError if there is none."""
    plugin = found if isinstance(found, Plugin) else getattr(found, "plugin", None)
    if not isinstance(plugin, Plugin):
        raise PluginError(
            "it has no variable named plugin that is a Plugin; write plugin = Plugin[None](NAME, api=1)"
        )
    return plugin


class _SourceLoader(ExecutionLoader):
    """Loader of a source that was read. It holds what the module was made of, whatever the file has now:
    for tracebacks, and for processes that make the module once more.
    """

    def __init__(self, file: Path, source: bytes) -> None:
        self._file = file
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return str(self._file)

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._source)


def _run(file: Path, source: bytes) -> ModuleType:
    name = f"{PREFIX}.{file.stem}"
    if name in sys.modules:
        name = f"{name}_{next(_numbers)}"
    loader = _SourceLoader(file, source)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None:
        raise PluginError(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
