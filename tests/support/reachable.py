"""Functions that a running bot could call: whatever its objects and tasks lead to."""

import asyncio
import gc
from collections.abc import Iterable
from types import CodeType, FunctionType, ModuleType
from typing import Final

_PASSED_BY: Final = (type, ModuleType, CodeType, asyncio.AbstractEventLoop)
"""Kinds of objects that everything leads to, and that lead to everything."""


def functions_reached(*roots: object) -> set[FunctionType]:
    """Return the Python functions that can be reached from some objects and from all other tasks.

    Modules, classes and the globals of functions are not gone through: through these everything is reached.
    """
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    todo: list[object] = [*roots, *tasks]
    seen: dict[int, object] = {}
    found: set[FunctionType] = set()
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, _PASSED_BY) or _is_of_module(each):
            continue
        seen[id(each)] = each  # kept, so that no other object gets its id
        if isinstance(each, FunctionType):
            found.add(each)
            todo += _parts(each)
        else:
            todo += gc.get_referents(each)
    return found


def _is_of_module(each: object) -> bool:
    return isinstance(each, dict) and "__name__" in each and "__spec__" in each


def _parts(function: FunctionType) -> Iterable[object]:
    yield from function.__closure__ or ()
    yield function.__defaults__
    yield function.__kwdefaults__
    yield function.__dict__
