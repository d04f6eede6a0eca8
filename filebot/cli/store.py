"""Commands for the store of the bytes.

All that a command needs is imported when it runs, so that ``--help`` is quick.
"""

import sys
from pathlib import Path

import click

from filebot.cli.common import FAILED, WRONG, config_option, loaded_config, stop
from filebot.errors import ConfigError, FilebotError


@click.group()
def store() -> None:
    """Move the bytes of the files elsewhere."""


@store.command()
@config_option
@click.option("--verify", is_flag=True, help="Read every file in the target again, and compare its digest.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(path: Path, verify: bool, source: str, target: str) -> None:
    """Copy all files from one store into another.

    FROM and TO are as [store] url has them: "disk:" is the data folder of the config. The bot may run
    meanwhile. What is in TO already is left alone, so the same command goes on with a copy that was
    interrupted, and brings over what has come since.

    Exit codes: 0 all is there, 1 damaged files are left, 2 it cannot be done like this.
    """
    config = loaded_config(path)
    from filebot.backends.loading import load_backends  # noqa: PLC0415 - see above
    from filebot.store_copy.command import copy as copy_all  # noqa: PLC0415

    try:
        stores = [load_backends(each).store for each in (source, target)]
        code = copy_all(config.data_dir, *stores, verify=verify)
    except ConfigError as error:
        stop(error.mistakes, WRONG)
    except FilebotError as error:
        stop([str(error)], FAILED)
    sys.exit(code)
