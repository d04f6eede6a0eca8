"""Mistakes in the functions of a plugin that would show only when they run: values that a template is not
given, jobs that are not there, a missing await, and schedules that speak to whoever asked.

Only what is plain in the code is told. A value counts as missing if the template shows it in any case.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from filebot.cli.bounded_load import Place
from filebot.failures import did_you_mean
from filebot.plugin import Context, Plugin
from filebot.plugin.code_uses import WITH_TEMPLATE, uses_of
from filebot.replies.shown_values import values_shown

_TEMPLATE_AT: Final = {**dict.fromkeys(WITH_TEMPLATE, 0), "tell": 1}
"""Methods of a context with a template, and the place of its name among the arguments."""
_GIVEN_IN_LISTS: Final = frozenset({"entries", "more"})
_FOR_ASKERS: Final = frozenset({"reply", "reply_aside", "reply_pages", "reply_more", "confirm"})


def mistakes_in_uses(plugin: Plugin[Any], modules: list[Path]) -> Iterator[tuple[Place, str]]:
    """Yield the mistakes in a plugin's code. Raises OSError, SyntaxError or UnicodeDecodeError."""
    for file in modules:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for text in (*_missing_values(plugin, node), *_unknown_job(plugin, node)):
                    yield (str(file), node.lineno), text
            elif isinstance(node, ast.Expr):
                for text in _missing_await(node.value):
                    yield (str(file), node.lineno), text
    yield from _askers_in_schedules(plugin)


def _askers_in_schedules(plugin: Plugin[Any]) -> Iterator[tuple[Place, str]]:
    for schedule in plugin.schedules.values():
        for use in uses_of(schedule.handler):
            file_name, _, line = use.place.rpartition(", line ")
            if use.what in _FOR_ASKERS:
                hint = "ctx.tell speaks to somebody"
            elif use.what.startswith("files.") and use.what != "files.keep_unasked":
                hint = "ctx.room_files are the files of a room; for somebody's files add a job of theirs"
            else:
                continue
            text = f"{schedule.hook} of plugin {plugin.name!r}: nobody asked, so there is no ctx.{use.what}"
            yield (file_name, int(line)), f"{text}; {hint}"


def _missing_values(plugin: Plugin[Any], call: ast.Call) -> Iterator[str]:
    method = _method(call)
    at = _TEMPLATE_AT.get(method)
    if at is None or len(call.args) <= at or any(each.arg is None for each in call.keywords):
        return
    name = _text(call.args[at])
    owner, _, own = name.partition("/")
    if owner != plugin.name or own not in plugin.templates:
        return
    given = {each.arg for each in call.keywords if each.arg}
    if method == "reply_pages":
        given |= _GIVEN_IN_LISTS
    for missing in sorted(values_shown(plugin.templates[own]) - given):
        yield f"{method} gives the template {name!r} no {missing!r}; write {missing}=..."


def _unknown_job(plugin: Plugin[Any], call: ast.Call) -> Iterator[str]:
    match call.func:
        case ast.Attribute(ast.Attribute(_, "jobs"), "add") if call.args:
            name = _text(call.args[0])
            if name and name not in plugin.jobs:
                hint = did_you_mean(name, plugin.jobs) or f"; declare it with @plugin.job({name!r})"
                yield f"plugin {plugin.name!r} has no job {name!r}{hint}"


def _missing_await(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Call(ast.Attribute(ast.Name("ctx"), method)) if inspect.iscoroutinefunction(
            getattr(Context, method, None)
        ):
            yield f"ctx.{method} does nothing without await; write await ctx.{method}(...)"


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
