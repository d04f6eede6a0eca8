"""Examination of a whole plugin when it is loaded: its API version, and what its functions use undeclared.

The code of its commands and listeners is read for ``ctx.files.one`` and the like, and so are functions of
the same module that they call with the context. Whatever is hidden better is found when it runs.
"""

import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import CodeType, FunctionType
from typing import Any, Final, get_origin

from filebot.errors import PluginError
from filebot.plugin.arguments import Kind
from filebot.plugin.declare import Plugin
from filebot.plugin.needs import API, NEED_OF

_NEEDS: Final = {Kind.FILE: "files.read", Kind.FILES: "files.read", Kind.ROOM: "rooms"}
_PARTS: Final = frozenset(path.partition(".")[0] for path in NEED_OF if "." in path)
_CONTEXTS: Final = frozenset({"Context", "Life"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
# Since Python 3.13 one instruction may store a variable and load another.
_LOADS: Final = ("LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")


def examine(plugin: Plugin[Any]) -> None:
    """Raise PluginError, with the line to change, if a plugin is for another API or uses what it did not
    declare.
    """
    if plugin.api is None:
        raise PluginError(
            f"plugin {plugin.name!r} does not say for which API it is; "
            f'write Plugin("{plugin.name}", api={API}, ...) in {plugin.declared_at}'
        )
    if plugin.api != API:
        raise PluginError(
            f"plugin {plugin.name!r} is for API {plugin.api!r}, and this filebot has API {API}; "
            "install a version of one of them that fits the other"
        )
    _examine_declarations(plugin)
    for hook, function in plugin.hooks():
        grants = replace(plugin.grants, hook=hook)
        for path, place in _uses(inspect.unwrap(function), set()):
            need = NEED_OF.get(path)
            if need is not None and need not in grants.needs:
                raise PluginError(grants.missing(f"ctx.{path} ({place})", need))


def _examine_declarations(plugin: Plugin[Any]) -> None:
    """Raise PluginError for arguments and checks whose needs are not declared."""
    for command in plugin.commands:
        for parameter in command.parameters:
            need = _NEEDS.get(parameter.kind)
            if need is not None and need not in plugin.needs:
                grants = replace(plugin.grants, hook=command.hook)
                raise PluginError(grants.missing(f"its argument {parameter.name!r}", need))
    for check in plugin.checks:
        if "checks" not in plugin.needs:
            grants = replace(plugin.grants, hook=check.hook)
            raise PluginError(grants.missing(f"to be asked before each {check.act.__name__}", "checks"))


def _uses(function: Callable[..., object], seen: set[object]) -> Iterator[tuple[str, str]]:
    """Yield each attribute of a context that a function uses, by its path, with file and line."""
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    yield from _uses_in(function, function.__code__, _contexts(function), seen)


def _uses_in(
    function: FunctionType, code: CodeType, contexts: frozenset[str], seen: set[object]
) -> Iterator[tuple[str, str]]:
    steps = list(dis.get_instructions(code))
    for index, step in enumerate(steps):
        loaded = step.argval[-1] if isinstance(step.argval, tuple) and step.argval else step.argval
        if loaded not in contexts or not step.opname.startswith(_LOADS):
            continue
        path = [each.argval for each in steps[index + 1 : index + 3] if each.opname in _ATTRIBUTES]
        depth = 2 if path and path[0] in _PARTS else 1
        line = step.positions.lineno if step.positions else None
        yield ".".join(path[:depth]), f"{code.co_filename}, line {line or code.co_firstlineno}"
    for name in code.co_names:
        called = function.__globals__.get(name)
        if getattr(called, "__module__", None) == function.__module__ and called is not None:
            yield from _uses(inspect.unwrap(called) if callable(called) else called, seen)
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _uses_in(function, part, contexts, seen)


def _contexts(function: FunctionType) -> frozenset[str]:
    """Return the names of a function's parameters that are contexts."""
    found = [name for name, annotation in function.__annotations__.items() if _is_context(annotation)]
    return frozenset(name for name in found if name != "return")


def _is_context(annotation: object) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2] in _CONTEXTS
    return getattr(get_origin(annotation) or annotation, "__name__", "") in _CONTEXTS
