"""Uses of the context in the code of a plugin's functions, and the names of templates there.

Functions of the same module that they call are read as well. Whatever is hidden better is found when it
runs.
"""

import dis
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Final, get_origin
from weakref import WeakKeyDictionary

from filebot.errors import FilebotError, Refusal
from filebot.plugin.needs import NEED_OF

_PARTS: Final = frozenset(path.partition(".")[0] for path in NEED_OF if "." in path)
_CONTEXTS: Final = frozenset({"Context", "Life"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
# Since Python 3.13 one instruction may store a variable and load another.
_LOADS: Final = ("LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")
_MAKE: Final = frozenset({"BINARY_OP", "BUILD_STRING", "CALL"})
"""Instructions that replace a text by another."""
WITH_TEMPLATE: Final = frozenset({"reply", "reply_aside", "reply_pages", "render", "confirm"})
"""Methods of a context whose first argument is the name of a template."""


@dataclass(frozen=True, slots=True)
class Use:
    """Use of something in the code of a function."""

    what: str
    """Path below ``ctx``, such as ``files.one``, or the name of an error."""
    place: str
    """File and line."""
    template: str | None = None
    """Name of the template that stands there."""


def uses_of(function: Callable[..., object]) -> Iterator[Use]:
    """Yield each attribute of a context that a function uses, and each error with a template of its own."""
    yield from _uses(inspect.unwrap(function), set())


def _uses(function: object, seen: set[object]) -> Iterator[Use]:
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    for part in _parts_of(function):
        yield from _uses_in(function, part, seen)


def _uses_in(function: FunctionType, part: "_Part", seen: set[object]) -> Iterator[Use]:
    for load in part.loads:
        if load.of_context or function.__globals__.get(load.what) is Refusal:
            yield Use(load.what, load.place, load.template)
    for name in part.code.co_names:
        named = function.__globals__.get(name)
        if named is None or getattr(named, "__module__", None) != function.__module__:
            continue
        if isinstance(named, type) and issubclass(named, FilebotError):
            yield Use(name, f"{part.code.co_filename}, class {name}", vars(named).get("template"))
        elif callable(named):
            yield from _uses(inspect.unwrap(named), seen)


@dataclass(frozen=True, slots=True)
class _Load:
    """Place in the code that loads a part of a context, or a global."""

    what: str
    """Path below ``ctx``, or name of the global."""
    place: str
    template: str | None
    of_context: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """Code of a function, or of one within it."""

    code: CodeType
    loads: Sequence[_Load]


_KNOWN: Final[WeakKeyDictionary[FunctionType, tuple[CodeType, frozenset[str], Sequence[_Part]]]] = (
    WeakKeyDictionary()
)
"""Parts of each function, with the code and the names of contexts that they were found in: plugins that
did not change are examined anew at each reload."""


def _parts_of(function: FunctionType) -> Sequence[_Part]:
    code, contexts = function.__code__, _contexts(function)
    known = _KNOWN.get(function)
    if known is None or known[0] is not code or known[1] != contexts:
        known = _KNOWN[function] = code, contexts, [*_parts_in(code, contexts)]
    return known[2]


def _parts_in(code: CodeType, contexts: frozenset[str]) -> Iterator[_Part]:
    yield _Part(code, [*_loads_in(code, contexts)])
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _parts_in(part, contexts)


def _loads_in(code: CodeType, contexts: frozenset[str]) -> Iterator[_Load]:
    steps = list(dis.get_instructions(code))
    for index, step in enumerate(steps):
        line = step.positions.lineno if step.positions else None
        place = f"{code.co_filename}, line {line or code.co_firstlineno}"
        loaded = step.argval[-1] if isinstance(step.argval, tuple) and step.argval else step.argval
        if loaded in contexts and step.opname.startswith(_LOADS):
            path = [each.argval for each in steps[index + 1 : index + 3] if each.opname in _ATTRIBUTES]
            depth = 2 if path and path[0] in _PARTS else 1
            template = _text_at(steps, index + 2) if path[:1] and path[0] in WITH_TEMPLATE else None
            yield _Load(".".join(path[:depth]), place, template, of_context=True)
        elif step.opname == "LOAD_GLOBAL":
            yield _Load(step.argval, place, _text_at(steps, index + 1), of_context=False)


def _text_at(steps: Sequence[dis.Instruction], index: int) -> str | None:
    """Return the text that is loaded there, if it is written in the code and used as it is."""
    if index >= len(steps) or steps[index].opname != "LOAD_CONST" or _is_part(steps[index + 1 :]):
        return None
    return steps[index].argval if isinstance(steps[index].argval, str) else None


def _is_part(steps: Sequence[dis.Instruction]) -> bool:
    """Tell whether another text is made of the one on the top of the stack, before these steps."""
    depth = 1
    for step in steps:
        before, depth = depth, depth + dis.stack_effect(step.opcode, step.arg, jump=False)
        if depth < 1:
            return False
        if (depth == 1 and step.opname in _MAKE) or (before == 1 and step.opname in _ATTRIBUTES):
            return True
    return False


def _contexts(function: FunctionType) -> frozenset[str]:
    """Return the names of a function's parameters that are contexts."""
    found = [name for name, annotation in function.__annotations__.items() if _is_context(annotation)]
    return frozenset(name for name in found if name != "return")


def _is_context(annotation: object) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2] in _CONTEXTS
    return getattr(get_origin(annotation) or annotation, "__name__", "") in _CONTEXTS
