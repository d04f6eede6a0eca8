"""Mistakes in templates, in words for their authors: the template, its line, and what may be meant."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

from filebot.failures import did_you_mean, shown

_NO_VALUE: Final = re.compile(r"'(\w+)' is undefined")
_NO_ATTRIBUTE: Final = re.compile(r"'(?P<type>[\w.]+)(?: object)?' has no attribute '(?P<name>\w+)'")


def explained(
    error: Exception, template: str, values: Mapping[str, object], known: Callable[[], Iterable[str]]
) -> str:
    """Return what is wrong with a template that was rendered with these values.

    ``template`` is its name, empty where the words around tell it; ``known`` returns the names of all
    templates.
    """
    if isinstance(error, TemplateNotFound):
        name = template or str(error.name)
        return f"there is no template {name!r}{did_you_mean(name, known())}"
    line = error.lineno if isinstance(error, TemplateSyntaxError) else _line(error)
    place = ", ".join(
        [*([f"template {template}"] if template else []), *([f"line {line}"] if line else [])]
    )
    text = shown(error)
    if isinstance(error, UndefinedError):
        text = f"{error.message}{_hint(error.message or '', values)}"
    return f"{place}: {text}" if place else text


def _line(error: Exception) -> int | None:
    """Return the line of a template at which an error was raised; jinja2 shows it as a frame of its own."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _hint(message: str, values: Mapping[str, object]) -> str:
    names = {each for each in values if each != "prefix"}
    if found := _NO_VALUE.match(message):
        given = f"; it is given {', '.join(sorted(names)) or 'no values'}"
        return did_you_mean(found[1], names) or given
    if found := _NO_ATTRIBUTE.match(message):
        kind = found["type"].rpartition(".")[2]
        attributes = {
            each
            for value in values.values()
            if type(value).__name__ == kind
            for each in dir(value)
            if not each.startswith("_")
        }
        return did_you_mean(found["name"], attributes)
    return ""
