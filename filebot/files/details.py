"""Details of an entry: what one plugin notes of it, as JSON, for all plugins to read."""

import json
from collections.abc import Mapping
from typing import Final

from filebot.model import JsonValue

DETAILS: Final = "details"
"""Key of the plugins' value that has them."""

MOST_DETAILS_BYTES: Final = 4096
"""Bytes of all details that one plugin keeps of one entry, as JSON."""


def merged(before: Mapping[str, JsonValue], details: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return ``before`` with these details, of which None removes one.

    Raises ValueError for what is no JSON, and if they are too large.
    """
    if not all(isinstance(key, str) for key in details):
        raise ValueError("details have texts as their keys")
    after: dict[str, JsonValue] = {
        key: value for key, value in {**before, **details}.items() if value is not None
    }
    if (size := len(written(after).encode())) > MOST_DETAILS_BYTES:
        raise ValueError(f"details of {size} bytes are too large; {MOST_DETAILS_BYTES} fit")
    return after


def written(value: JsonValue) -> str:
    """Return a value as JSON. Raises ValueError if it is none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"this is no JSON value: {error}") from error


def with_details(details: str, before: str | None) -> str:
    """Return the JSON of both together. Raises ValueError if that is too large."""
    known = {} if before is None else json.loads(before)
    return written(merged(known if isinstance(known, dict) else {}, json.loads(details)))
