"""Templates of a plugin as its author wrote them: where they stand, and which of them its code names."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filebot.cli.bounded_load import Place
from filebot.plugin import Plugin
from filebot.plugin.words import SUFFIX
from filebot.replies.messages import included_in

_DECLARED_AT: Final = re.compile(r"(.*), line (\d+)")
_GAPS: Final = re.compile(r"%s|\{\w*\}")
"""Parts of a text that are replaced before it is used as a name."""


@dataclass(frozen=True, slots=True)
class PluginTexts:
    """Texts in the code of a plugin, each with its line."""

    constants: tuple[tuple[str, Place], ...]
    patterns: tuple[re.Pattern[str], ...]
    """Names that are put together when the code runs."""

    def line_of(self, text: str) -> Place | None:
        """Return where a text is written in the code."""
        return next((place for known, place in self.constants if known == text), None)

    def names(self, template: str) -> bool:
        """Whether the code may name a template."""
        return self.line_of(template) is not None or any(each.fullmatch(template) for each in self.patterns)


def texts_in(files: list[Path]) -> PluginTexts:
    """Read the code of a plugin. Raises OSError, SyntaxError or UnicodeDecodeError."""
    constants, patterns = [], []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(str() as text):
                    constants.append((text, (str(file), node.lineno)))
                    if _GAPS.search(text) and "/" in text:
                        patterns.append(re.compile(".*".join(map(re.escape, _GAPS.split(text)))))
                case ast.JoinedStr(parts):
                    patterns.append(re.compile("".join(_pattern(each) for each in parts)))
                case ast.BinOp(ast.Constant(str() as text), ast.Add()) if text.endswith("/"):
                    patterns.append(re.compile(re.escape(text) + ".*"))
    return PluginTexts(tuple(constants), tuple(each for each in patterns if "/" in each.pattern))


def _pattern(part: ast.expr) -> str:
    return re.escape(part.value) if isinstance(part, ast.Constant) and isinstance(part.value, str) else ".*"


def place_of_template(plugin: Plugin[Any], name: str, folder: Path, texts: PluginTexts) -> Place:
    """Return the file of a template, or the line of the code where it is written."""
    file = folder / "templates" / f"{name}{SUFFIX}"
    if file.is_file():
        return str(file), 1
    return texts.line_of(plugin.templates[name]) or declared_at(plugin)


def declared_at(plugin: Plugin[Any]) -> Place:
    """Return the line of ``Plugin(...)``."""
    found = _DECLARED_AT.fullmatch(plugin.declared_at)
    return (found[1], int(found[2])) if found else (plugin.declared_at, 1)


def unused_templates(plugin: Plugin[Any], texts: PluginTexts) -> Iterator[str]:
    """Yield the names of templates that neither the code nor another template may name."""
    included = {name for text in plugin.templates.values() for name in included_in(text)}
    declared = {
        name for each in plugin.room_settings for name in (each.template, each.told, each.presence) if name
    }
    declared |= {each.template for each in plugin.room_lines}
    for name in plugin.templates:
        full = f"{plugin.name}/{name}"
        if full not in included and full not in declared and not texts.names(full):
            yield name
