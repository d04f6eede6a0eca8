"""Catalogues of the languages that the bot speaks, its own ones and those of plugins."""

import gettext
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from filebot.errors import PluginError

SOURCE: Final = "en"
LANGUAGES: Final = (SOURCE, "zh_CN")
"""Locale identifiers of the languages; in ``xml:lang`` the underscore is a hyphen."""

CATALOGUES: Final = Path(__file__).parent.parent / "locale"


def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of one of ``LANGUAGES``; that of the source language changes nothing."""
    if language == SOURCE:
        return gettext.NullTranslations()
    return _compiled(_catalogue(CATALOGUES, language, "filebot"), language)


def catalogues_in(folder: Path, domain: str) -> dict[str, gettext.NullTranslations]:
    """Return a plugin's catalogues for the languages that the bot speaks, as far as there are some.

    Raises PluginError for one that cannot be read.
    """
    files = {name: _catalogue(folder, name, domain) for name in LANGUAGES if name != SOURCE}
    try:
        return {name: _compiled(file, name) for name, file in files.items() if file.exists()}
    except (OSError, ValueError, PoFileError) as error:
        raise PluginError(f"{domain}: a catalogue in {folder} cannot be read: {error}") from error


def _catalogue(folder: Path, language: str, domain: str) -> Path:
    return folder / language / "LC_MESSAGES" / f"{domain}.po"


def _compiled(path: Path, language: str) -> gettext.NullTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
