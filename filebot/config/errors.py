"""Mistakes in the config, each in plain words with what to do about it. A secret is never quoted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz, process

from filebot.config.schema import Config
from filebot.config.toml_positions import KeyPath
from filebot.filenames import plain_text

_THREE_WAYS: Final = (
    "missing; give the password in one of three ways: password or password_file in [xmpp],"
    " or the environment variable FILEBOT_PASSWORD"
)

_SIMILAR: Final = 70.0
"""Lowest similarity, of 100, at which one key is suggested for another."""

_WORDS: Final = {
    "missing": "missing; add it",
    "string_type": 'must be text in quotes, like "text"',
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "tuple_type": 'must be a list in brackets, like ["one", "two"]',
    "dict_type": "must be a table; write its name in brackets on a line of its own",
    "model_type": "must be a table; write its name in brackets on a line of its own",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "value_error": "{error}",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake at one key."""

    path: KeyPath
    """Path to the key."""
    words: str
    """Description of the mistake, and what to do about it."""

    @property
    def text(self) -> str:
        """Key and words, such as ``xmpp.port: must be a whole number``."""
        return f"{dotted(self.path)}: {self.words}"


def found_in(error: ValidationError) -> list[Mistake]:
    """Return a mistake for each error that pydantic found."""
    return [
        Mistake(found["loc"], _words(found["loc"], found["type"], found["msg"], found.get("ctx", {})))
        for found in error.errors(include_url=False, include_input=False)
    ]


def dotted(path: KeyPath) -> str:
    """Return a path as text, such as ``rooms.join[2]``.

    Indices count from one, keys are quoted where TOML asks for it, and all is on one line.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part)
            text += "." + (part if plain else f'"{plain_text(part)[:60]}"')
    return text.removeprefix(".")


def _words(path: KeyPath, kind: str, message: str, context: dict[str, Any]) -> str:
    if kind == "extra_forbidden":
        return f"unknown key; {_suggestion(path)}"
    if kind == "dict_type" and path[0] == "plugins":
        # [plugins] takes any key as a plugin's table, so a misspelt key ends here.
        return f"unknown key; {_suggestion(path)} (a plugin's own settings are a table, [{dotted(path)}])"
    if kind == "missing" and path == ("xmpp", "password"):
        return _THREE_WAYS
    return _WORDS[kind].format_map(context) if kind in _WORDS else message


def _suggestion(path: KeyPath) -> str:
    """Return a suggestion for an unknown key: the table it belongs to, or a similar key."""
    key, table = str(path[-1]), path[:-1]
    owner = next((name for name, keys in _tables().items() if key in keys), None)
    if owner is not None:
        return f"it belongs into the table [{owner}]" if owner else "it belongs above all tables"
    known = _tables().get(str(table[0]) if table else "", ())
    match = process.extractOne(key, known, scorer=fuzz.ratio, score_cutoff=_SIMILAR)
    return f'did you mean "{match[0]}"?' if match else f"remove it, or use one of: {', '.join(known)}"


def _tables() -> dict[str, Sequence[str]]:
    """Return the keys of each table; top-level keys stand under the empty name."""
    tables: dict[str, Sequence[str]] = {"": tuple(Config.model_fields)}
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            tables[name] = tuple(field.annotation.model_fields)
    return tables
