"""Loading of a config file, which reports every mistake in it at once."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from filebot.config.errors import Mistake, found_in
from filebot.config.password import with_password
from filebot.config.schema import Config
from filebot.config.toml_positions import Places, lines_of
from filebot.errors import ConfigError
from filebot.system.ownership import weakness

_LARGEST_FILE: Final = 1 << 20
"""Largest file that is read, in bytes, far over any config: a larger one was named by accident."""


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check a config file; relative paths in it begin at its folder.

    ``environ`` may hold the password, see ``password``. Raises ConfigError with every mistake, in the
    order of the file.
    """
    text = _read(path)
    tables, places = _parsed(text, path.name)
    mistakes: list[Mistake] = []
    tables = with_password(tables, path, environ, mistakes)
    try:
        config = Config.model_validate(tables, context={"folder": path.absolute().parent, "places": places})
    except ValidationError as error:
        mistakes += found_in(error)
        # Without the cause: its frames hold the password.
        raise ConfigError(_told(mistakes, places)) from None
    if mistakes:
        raise ConfigError(_told(mistakes, places))
    return config


def _told(mistakes: list[Mistake], places: Places) -> tuple[str, ...]:
    """Return the texts of mistakes, in the order of the file; those without a line come first."""
    ordered = sorted(mistakes, key=lambda mistake: places.line(mistake.path) or 0)
    return tuple(f"{places.of(mistake.path)}: {mistake.text}" for mistake in ordered)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError((f"{path}: there is no such file; filebot init writes one",)) from None
    except PermissionError:
        raise ConfigError((f"{path}: may not be read by this user; run chown or chmod on it",)) from None
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read ({error.strerror}); name a file",)) from None
    reason = weakness(path)
    if reason is not None:
        raise ConfigError((f"{path}: {reason}",))
    if len(data) > _LARGEST_FILE:
        raise ConfigError((f"{path}: is too large for a config; name another file",))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((f"{path.name} line {line}: is not UTF-8 text; save it as UTF-8",)) from None


def _parsed(text: str, name: str) -> tuple[dict[str, Any], Places]:
    try:
        return tomllib.loads(text), Places(name, lines_of(text))
    except RecursionError:
        raise ConfigError((f"{name}: has brackets within brackets without end; remove them",)) from None
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).rpartition(" (at ")
        line = re.match(r"line \d+", place)
        start = f"{name} {line.group()}" if line else name
        remedy = "look for a missing quote, bracket or equals sign there or just above"
        raise ConfigError((f"{start}: is not TOML: {reason}; {remedy}",)) from None
    except ValueError:
        # Python reads no integer of thousands of digits.
        raise ConfigError((f"{name}: has a number that is too long; shorten it",)) from None
