"""Messages of a plugin's templates: which of them a catalogue does not translate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import write_po
from jinja2 import Environment, TemplateSyntaxError, meta

from filebot.replies.catalogues import CATALOGUES, LANGUAGES, SOURCE, catalogue_file, read_catalogue
from filebot.replies.overrides import SUFFIX

OPTIONS: Final = {"trimmed": "true", "trim_blocks": "true", "silent": "false"}
"""Options by which Babel reads templates."""

Words = str | tuple[str, ...]
"""Text, or singular and plural."""


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """Message that is to be translated."""

    words: Words
    context: str | None
    line: int
    """Line of its template."""


@dataclass(frozen=True, slots=True)
class Untranslated:
    """Message that a catalogue of a plugin lacks, or has for nothing."""

    language: str
    file: Path
    line: int
    """Line in the catalogue; 0 if it is not there."""
    words: Words
    context: str | None
    is_unused: bool
    """Whether it is there, but nothing has it."""


def messages_in(template: str) -> Iterator[FoundMessage]:
    """Yield the messages of a template. Raises TemplateSyntaxError."""
    found = extract(
        "jinja2.ext:babel_extract", BytesIO(template.encode()), DEFAULT_KEYWORDS, options=OPTIONS
    )
    for line, words, _comments, context in found:
        yield FoundMessage(words, context, line)


def included_in(template: str) -> frozenset[str]:
    """Return the names of the templates that a template includes or imports."""
    try:
        tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(template)
    except TemplateSyntaxError:
        return frozenset()
    return frozenset(each.removesuffix(SUFFIX) for each in meta.find_referenced_templates(tree) if each)


def untranslated(folder: Path, domain: str, messages: Iterable[FoundMessage]) -> Iterator[Untranslated]:
    """Yield what the catalogues of a plugin lack for some messages, and what they have for nothing.

    A language without a catalogue is left out: the plugin does not speak it. Raises PluginError for one
    that cannot be read.
    """
    wanted = list({(each.words, each.context): each for each in messages}.values())
    for language in LANGUAGES:
        file = catalogue_file(folder, language, domain)
        if language == SOURCE or not file.exists():
            continue
        known, shipped = read_catalogue(file, language), _shipped(language)
        for each in wanted:
            if not _is_translated(known, each) and not _is_translated(shipped, each):
                message = known.get(each.words, each.context)
                line = 0 if message is None else message.lineno or 0
                yield Untranslated(language, file, line, each.words, each.context, is_unused=False)
        used = {(each.words, each.context) for each in wanted}
        for message in known:
            words = tuple(message.id) if isinstance(message.id, list | tuple) else message.id
            if words and (words, message.context) not in used:
                line, context = message.lineno or 0, message.context
                yield Untranslated(language, file, line, words, context, is_unused=True)


def update_catalogues(folder: Path, domain: str, messages: Iterable[FoundMessage]) -> Iterator[Path]:
    """Bring the catalogues of a plugin up to date with its messages, and yield those that changed.

    A new message has an empty translation; one that nothing has any more is removed. Raises PluginError for
    a catalogue that cannot be read, and OSError.
    """
    changes: dict[Path, list[Untranslated]] = {}
    for each in untranslated(folder, domain, messages):
        if each.is_unused or not each.line:
            changes.setdefault(each.file, []).append(each)
    for file, found in changes.items():
        catalogue = read_catalogue(file, found[0].language)
        for each in found:
            if each.is_unused:
                catalogue.delete(each.words, each.context)
            else:
                catalogue.add(each.words, context=each.context)
        out = BytesIO()
        write_po(out, catalogue, width=100, ignore_obsolete=True)
        file.write_bytes(out.getvalue())
        yield file


@lru_cache
def _shipped(language: str) -> Catalog:
    return read_catalogue(catalogue_file(CATALOGUES, language, "filebot"), language)


def _is_translated(catalogue: Catalog, wanted: FoundMessage) -> bool:
    message = catalogue.get(wanted.words, wanted.context)
    if message is None or message.fuzzy:
        return False
    forms = message.string or ""
    return all(forms) if isinstance(forms, list | tuple) else bool(forms)
