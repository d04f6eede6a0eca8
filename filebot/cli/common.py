"""Parts that the commands share.

Exit codes: 0 fine, 1 failed while running, 2 wrong usage or configuration.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NoReturn

import click

from filebot.config import Config, load
from filebot.errors import ConfigError

FAILED: Final = 1
WRONG: Final = 2

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    show_default=True,
    help="The configuration file.",
)


def loaded_config(path: Path) -> Config:
    """Read the config, or leave with its mistakes."""
    try:
        return load(path, os.environ)
    except ConfigError as error:
        stop(error.mistakes, WRONG)


def stop(lines: Iterable[str], code: int) -> NoReturn:
    """Leave with an exit code, and say why."""
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)


def printable(text: str) -> str:
    """Return a line of others' making without characters that are not for a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
