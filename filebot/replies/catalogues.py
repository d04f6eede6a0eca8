"""Catalogues of the languages that the bot speaks, its own ones and those of plugins."""

import gettext
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from filebot.concurrency.lru import ContentCache
from filebot.errors import PluginError

SOURCE: Final = "en"
LANGUAGES: Final = (SOURCE, "zh_CN")
"""Locale identifiers of the languages; in ``xml:lang`` the underscore is a hyphen."""

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)")

CATALOGUES: Final = Path(__file__).parent.parent / "locale"

_COMPILED: Final = ContentCache[gettext.NullTranslations](1_000_000)
"""Catalogues without fallbacks: most are what they were when the bot is reloaded."""


def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of one of ``LANGUAGES``; that of the source language changes nothing."""
    if language == SOURCE:
        return gettext.NullTranslations()
    content = catalogue_file(CATALOGUES, language, "filebot").read_bytes()
    return _compiled(content, language, lambda _: None)


def catalogues_in(folder: Path, domain: str) -> dict[str, gettext.NullTranslations]:
    """Return a plugin's catalogues for the languages that the bot speaks, as far as there are some.

    Raises PluginError for one that cannot be read, or has a translation with other placeholders than its
    message.
    """
    found = {}
    for name in LANGUAGES:
        file = catalogue_file(folder, name, domain)
        if name != SOURCE and file.exists():
            with _readable(file):
                found[name] = _compiled(file.read_bytes(), name, partial(_check, domain, name), domain)
    return found


def _check(domain: str, language: str, catalogue: Catalog) -> None:
    for message in catalogue:
        if wrong := _wrong_placeholders(message):
            raise PluginError(f"{domain}: the translation into {language} of {wrong}")


def _wrong_placeholders(message: Message) -> str:
    """Return what is wrong with the placeholders of a translation, beginning with its message; empty for
    nothing.
    """
    texts = [_PLACEHOLDER.findall(each) for each in _forms(message.id)]
    known = set().union(*texts)
    needed = known.intersection(*texts)  # "one file" may leave out a count that "%(count)s files" has
    for form in _forms(message.string):
        used = set(_PLACEHOLDER.findall(form))
        for each in [*sorted(used - known), *(sorted(needed - used) if form else ())]:
            verb = "has" if each in used else "lacks"
            return f"{_forms(message.id)[0]!r} {verb} the placeholder %({each})s"
    return ""


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def catalogue_file(folder: Path, language: str, domain: str) -> Path:
    """Return the file of a language's catalogue in a folder of catalogues."""
    return folder / language / "LC_MESSAGES" / f"{domain}.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    """Return a plugin's catalogue. Raises PluginError if it cannot be read."""
    with _readable(path):
        return _read(path.read_bytes(), language)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, PoFileError) as error:
        raise PluginError(
            f"{path.stem}: a catalogue in {path.parents[2]} cannot be read: {error}"
        ) from error


def _read(content: bytes, language: str) -> Catalog:
    return read_po(BytesIO(content), locale=language, abort_invalid=True)


def _compiled(
    content: bytes, language: str, check: Callable[[Catalog], None], *beside: str
) -> gettext.NullTranslations:
    """Return the translations of a catalogue, to which fallbacks may be added."""

    def make() -> gettext.NullTranslations:
        catalogue, compiled = _read(content, language), BytesIO()
        check(catalogue)
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)

    return copy(_COMPILED.get(content, make, language, *beside))
