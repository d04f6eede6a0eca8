"""Checks of the operator's folder of templates, for broken and for outdated ones."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from filebot.concurrency.lru import ContentCache

SUFFIX: Final = ".txt"

RENAMED_TEMPLATES: Final[Mapping[str, str]] = {
    "errors/already_under_way": "errors/already_sending",
    "errors/examination_under_way": "doctor/running",
    "errors/claim_exceeds_quota": "claim/exceeds_quota",
    "errors/no_room_for_claim": "claim/exceeds_quota",
    "errors/no_such_claim": "claim/no_such_claim",
    "errors/no_way_to_send": "errors/no_transfer_method",
    "errors/not_let_in": "errors/stream_host_refused",
    "errors/room_closed": "errors/cannot_enter_room",
    "errors/room_full": "errors/room_quota_exceeded",
    "errors/same_name": "errors/duplicate_name",
    "errors/too_many_opt_outs": "archive/too_many_opt_outs",
    "errors/waited_too_long": "errors/delivery_expired",
    "room/archive": "archive/changed",
}
"""New names of templates by their names until 0.1. docs/upgrade.md lists these, and the variables."""

RENAMED_VARIABLES: Final[Mapping[str, str]] = {
    "filling": "history_import",
    "goes_at": "lines",
    "expires_at": "lines",
}


REMOVED_IN: Final = "0.3.0"
"""Version that knows no old names any more."""


def by_new_names(folder: Path) -> dict[str, str]:
    """Return the operator's templates that have old names, by the names of the files that they stand for.

    One that cannot be read, or has a namesake with the new name, is left out.
    """
    found = {}
    for old, new in RENAMED_TEMPLATES.items():
        if not (folder / (new + SUFFIX)).exists():
            with suppress(OSError, UnicodeDecodeError):
                found[new + SUFFIX] = (folder / (old + SUFFIX)).read_text(encoding="utf-8")
    return found


def error_class(template: str) -> str:
    """Return the name of the error class that a template is for, which templates compare with ``kind``."""
    return "".join(word.title() for word in template.removeprefix("errors/").split("_"))


RENAMED_ERRORS: Final = {
    error_class(old): error_class(new)
    for old, new in RENAMED_TEMPLATES.items()
    if new.startswith("errors/")
}


_VALID: Final = ContentCache[None](500_000)
"""Templates that were examined already and are valid."""


def examine(environment: Environment, text: str) -> None:
    """Raise TemplateSyntaxError if a text is no valid template.

    Unknown filters and tests are errors, too: within a condition jinja2 finds them only when it renders
    that branch.
    """
    known = frozenset(environment.filters), frozenset(environment.tests)
    _VALID.get(text, lambda: _examine(environment, text), *known)


def _examine(environment: Environment, text: str) -> None:
    tree = environment.parse(text)
    for each in tree.find_all(nodes.Filter):
        if each.name not in environment.filters:
            raise TemplateSyntaxError(f"no filter named {each.name!r}", each.lineno)
    for test in tree.find_all(nodes.Test):
        if test.name not in environment.tests:
            raise TemplateSyntaxError(f"no test named {test.name!r}", test.lineno)
    environment.compile(text)


def mistakes_in(folder: Path, environment: Environment) -> Iterator[str]:
    """Return a line for each template of the folder that cannot be used, or one for a missing folder."""
    if not folder.is_dir():
        yield f"replies.templates: there is no folder {folder}; create it"
    for file in _files(folder):
        place = f"replies.templates: {file}"
        try:
            examine(environment, file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            yield f"{place} line {error.lineno}: {error.message}; correct it or remove the file"
        except (OSError, UnicodeDecodeError) as error:
            kind = type(error).__name__
            yield f"{place}: cannot be read as UTF-8 text ({kind}); correct or remove the file"


def outdated_in(folder: Path, known: Collection[str], environment: Environment) -> Iterator[str]:
    """Return a line for each template of the folder that is not used, or uses old names.

    ``known`` has the names of all other templates. A file that is included by another file of the folder
    counts as used, and so does a file of a plugin that is not loaded.
    """
    trees = {file: environment.parse(file.read_text(encoding="utf-8")) for file in _files(folder)}
    included = {name for tree in trees.values() for name in meta.find_referenced_templates(tree)}
    prefixes = {name.partition("/")[0] for name in known}
    for file, tree in trees.items():
        name = file.relative_to(folder).with_suffix("").as_posix()
        place = f"replies.templates: {file}"
        if name in RENAMED_TEMPLATES:
            new = RENAMED_TEMPLATES[name] + SUFFIX
            if (folder / new).exists():
                yield f"{place} is not used: there is {new}, too; remove the file"
            else:
                yield f"{place} is {new} now; rename it: the old name goes with {REMOVED_IN}"
        elif name not in known and name + SUFFIX not in included and name.partition("/")[0] in prefixes:
            yield f"{place} is not used: there is no template {name}; correct its name or remove the file"
        constants = {str(each.value) for each in tree.find_all(nodes.Const)}
        for old in sorted(constants & RENAMED_ERRORS.keys()):
            yield f"{place}: the error {old} is {RENAMED_ERRORS[old]} now; write that"
        for old in sorted(meta.find_undeclared_variables(tree) & RENAMED_VARIABLES.keys()):
            yield f"{place}: the variable {old} is {RENAMED_VARIABLES[old]} now; write that"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{SUFFIX}"))
