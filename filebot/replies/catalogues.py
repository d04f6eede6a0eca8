"""Catalogues of the languages that the bot speaks, its own ones and those of plugins."""

import gettext
import re
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from filebot.errors import PluginError

SOURCE: Final = "en"
LANGUAGES: Final = (SOURCE, "zh_CN")
"""Locale identifiers of the languages; in ``xml:lang`` the underscore is a hyphen."""

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)")

CATALOGUES: Final = Path(__file__).parent.parent / "locale"


def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of one of ``LANGUAGES``; that of the source language changes nothing."""
    if language == SOURCE:
        return gettext.NullTranslations()
    return _compiled(_read(catalogue_file(CATALOGUES, language, "filebot"), language))


def catalogues_in(folder: Path, domain: str) -> dict[str, gettext.NullTranslations]:
    """Return a plugin's catalogues for the languages that the bot speaks, as far as there are some.

    Raises PluginError for one that cannot be read, or has a translation with other placeholders than its
    message.
    """
    files = {name: catalogue_file(folder, name, domain) for name in LANGUAGES if name != SOURCE}
    found = {name: read_catalogue(file, name) for name, file in files.items() if file.exists()}
    for name, catalogue in found.items():
        for message in catalogue:
            if wrong := _wrong_placeholders(message):
                raise PluginError(f"{domain}: the translation into {name} of {wrong}")
    return {name: _compiled(catalogue) for name, catalogue in found.items()}


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
    try:
        return _read(path, language)
    except (OSError, ValueError, PoFileError) as error:
        raise PluginError(
            f"{path.stem}: a catalogue in {path.parents[2]} cannot be read: {error}"
        ) from error


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _compiled(catalogue: Catalog) -> gettext.NullTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
