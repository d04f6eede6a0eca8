"""Bring the translation catalogues up to date with the templates, the code and the commands' help.

``python scripts/messages.py`` merges new messages into each .po file and drops those that nothing uses;
then fill in the empty ``msgstr``. ``--check`` changes nothing and exits 1 if something is to be done.
"""

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from filebot.plugin.declare_commands import paragraphs
from filebot.replies.messages import OPTIONS

PACKAGE: Final = Path(__file__).resolve().parent.parent / "filebot"
PLUGINS: Final = PACKAGE.parent / "plugins"

METHODS: Final = [("templates/**.txt", "jinja2.ext:babel_extract"), ("replies/**.py", "python")]
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "message": None, "_plural": (1, 2)}


CORE: Final = "filebot"
"""Domain of the messages of the package, and of the help of plugins that are one file."""


def extracted(domain: str = CORE) -> Catalog:
    """Return every message of a domain: of templates, code, and the help of commands.

    A bundled plugin that is a package has a domain of its own.
    """
    found = Catalog(project=domain, charset="utf-8")
    folder = PACKAGE if domain == CORE else PLUGINS / domain
    for file, _line, text, comments, context in extract_from_dir(
        folder, METHODS, {"templates/**.txt": OPTIONS}, KEYWORDS
    ):
        flags = ["python-format"] if "%(" in "".join(text) else []
        # No line numbers: they would change in every commit that touches a template.
        found.add(text, locations=[(file, 0)], flags=flags, auto_comments=comments, context=context)
    for file in sorted((PLUGINS if domain == CORE else folder).glob("*.py")):
        for text in _help_texts(ast.parse(file.read_text(encoding="utf-8"))):
            found.add(text, locations=[(str(file.relative_to(PLUGINS.parent)), 0)])
    return found


def _help_texts(module: ast.Module) -> Iterator[str]:
    """Yield the texts of each command that ``help`` shows: its docstring's first line, and all of it."""
    for node in module.body:
        if isinstance(node, ast.AsyncFunctionDef) and any(map(_declares_command, node.decorator_list)):
            text = paragraphs(ast.get_docstring(node) or "")
            yield from dict.fromkeys((text.partition("\n")[0], text))


def _declares_command(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "plugin.command"


def catalogues() -> list[Path]:
    """Return the catalogues of each language but the source, those of filebot first."""
    of_plugins = sorted(PLUGINS.glob("*/locale/*/LC_MESSAGES/*.po"))
    return [*sorted(PACKAGE.glob(f"locale/*/LC_MESSAGES/{CORE}.po")), *of_plugins]


def read(path: Path) -> Catalog:
    """One catalogue as it is on disk."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def merged(path: Path) -> bytes:
    """Return the catalogue with every message in use, and no other."""
    catalogue, template = read(path), extracted(path.stem)
    template.creation_date = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    out = BytesIO()
    write_po(out, catalogue, width=100, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return out.getvalue()


def shortcomings(path: Path) -> Iterator[str]:
    """Yield each message that is missing, unsure or wrong in a catalogue."""
    catalogue, used = read(path), extracted(path.stem)
    for wanted in filter(_is_text, used):
        ours = catalogue.get(wanted.id, wanted.context)
        if ours is None or not all(_forms(ours.string)):
            yield f"not translated: {wanted.id!r}"
        elif ours.fuzzy:
            yield f"fuzzy: {wanted.id!r}"
        elif {_placeholders(form) for form in _forms(ours.string)} != {
            _placeholders(_forms(wanted.id)[-1])
        }:
            yield f"other placeholders than the original: {wanted.id!r}"
    for old in filter(_is_text, catalogue):
        if used.get(old.id, old.context) is None:
            yield f"not used: {old.id!r}"


def _is_text(message: Message) -> bool:
    """Whether it is a message at all and not the header."""
    return bool(message.id)


def _forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """The singular and the plurals, or the one form that there is."""
    return [text or ""] if isinstance(text, str | None) else list(text)


def _placeholders(form: str) -> frozenset[str]:
    """Return the placeholders, and whatever else follows a per cent sign: a stray one is an error."""
    return frozenset(re.findall(r"%(?:\(\w+\)s|.?)", form))


def main() -> int:
    """Merge, or only check; 1 if anything is left to be done."""
    left = 0
    for path in catalogues():
        if "--check" not in sys.argv[1:]:
            path.write_bytes(merged(path))
        for shortcoming in shortcomings(path):
            print(f"{path.relative_to(PLUGINS.parent)}: {shortcoming}", file=sys.stderr)  # noqa: T201 - a script
            left = 1
    return left


if __name__ == "__main__":
    sys.exit(main())
