"""Commands of the bot itself.

What a command needs is imported when it runs, so that ``--help`` is quick.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from filebot import __version__, logs
from filebot.cli.common import FAILED, WRONG, config_option, loaded_config, stop
from filebot.cli.plugin import plugin
from filebot.cli.store import store
from filebot.config import Config, load
from filebot.config.template import first_config, write_private
from filebot.config.types import bare_jid
from filebot.errors import ConfigError, FilebotError, LoginFailed
from filebot.model import size_bytes

log = logging.getLogger(__name__)


def _jid(text: str) -> str:
    try:
        return bare_jid(text.strip())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _jids(text: str) -> tuple[str, ...]:
    return tuple(_jid(word) for word in text.replace(",", " ").split())


def _rate(_: click.Context, __: click.Parameter, text: str) -> int:
    try:
        return size_bytes(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """An XMPP bot for dropping files in a chat and getting them back."""


main.add_command(plugin)
main.add_command(store)


@main.command()
@config_option
@click.option("--jid", type=_jid, metavar="ADDRESS", help="The bot's account.")
@click.option(
    "--password", help="Its password. Others can see it in the list of processes: better be asked."
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
    help="A file with the password in its first line, instead of writing it into the config.",
)
@click.option(
    "--admin",
    "admins",
    type=_jid,
    metavar="ADDRESS",
    multiple=True,
    help="Who runs the bot; may be given again.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="Where files and the catalog are kept; without it in a folder data beside the config.",
)
@click.option("--force", is_flag=True, help="Replace a config that is there already.")
def init(
    path: Path,
    jid: str | None,
    password: str | None,
    password_file: Path | None,
    admins: tuple[str, ...],
    data_dir: Path | None,
    force: bool,
) -> None:
    """Write a configuration; asks for what is not given."""
    if password is not None and password_file is not None:
        raise click.UsageError("--password and --password-file are two answers to one question; give one")
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already; --force replaces it")
    interactive = jid is None or (password is None and password_file is None)
    jid = jid or _asked("The bot's address (name@example.org)", value_proc=_jid)
    secret = password_file or password or _asked("Its password", hide_input=True)
    if interactive and not admins:
        admins = _asked(
            "Addresses of admins, with blanks between (may be empty)", default="", value_proc=_jids
        )
    try:
        write_private(path, first_config(jid, secret, admins, data_dir or Path("data")), replace=force)
    except OSError as error:
        stop([f"{path} cannot be written: {error.strerror}"], FAILED)
    click.echo(f"Wrote {path}. Next: filebot check --config {path}\nThen:  filebot run --config {path}")


@main.command()
@config_option
@click.option("--offline", is_flag=True, help="Only examine the file; connect to nothing.")
def check(path: Path, offline: bool) -> None:
    """Examine the configuration, then log in and try what the bot needs."""
    config = loaded_config(path)
    foreign = _examine(config)
    click.echo("config is fine")
    if foreign:
        click.echo(f"plugins that did not come with filebot: {', '.join(foreign)}")
    if not offline:
        _try(config)


@main.command()
@config_option
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="From which importance on a record is written.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of each line.",
)
def run(path: Path, log_level: str, log_format: logs.Format) -> None:
    """Run the bot until Ctrl-C or SIGTERM."""
    logs.set_up(log_level, log_format)
    config = loaded_config(path)
    from filebot import app  # noqa: PLC0415 - see above
    from filebot.concurrency.process import leave, run_to_end  # noqa: PLC0415

    try:
        code = run_to_end(app.run(config, lambda: load(path, os.environ)))
    except ConfigError as error:
        stop(config.located(error).mistakes, WRONG)
    except LoginFailed as error:
        stop([str(error)], WRONG)
    except FilebotError as error:
        stop([f"{type(error).__name__}: {error}"], FAILED)
    except Exception:
        log.exception("stopped by a failure")
        code = FAILED
    leave(code)


@main.command()
@config_option
@click.option("--repair", is_flag=True, help="Mend what can be mended; the bot must be stopped.")
@click.option("--quick", is_flag=True, help="Compare names and sizes; do not read the files.")
@click.option("--anew", is_flag=True, help="Begin at the first file, even if the last one was interrupted.")
@click.option(
    "--rate",
    callback=_rate,
    default="100 MB",
    show_default=True,
    metavar="SIZE",
    help="Read at most so much each second.",
)
def fsck(path: Path, repair: bool, quick: bool, anew: bool, rate: int) -> None:
    """Examine all stored files and the catalog.

    It may be used while the bot runs, except with --repair.

    Exit codes: 0 all is well, 1 faults are left, 2 it cannot be examined or repaired like this.
    """
    config = loaded_config(path)
    from filebot.adapters import storage_limits  # noqa: PLC0415 - see above
    from filebot.fsck.command import Wishes  # noqa: PLC0415
    from filebot.fsck.command import fsck as examine  # noqa: PLC0415
    from filebot.preflight import configured_backends  # noqa: PLC0415

    try:
        store = configured_backends(config).store
        code = examine(
            config.data_dir,
            storage_limits(config),
            config.limits.keep_unreferenced / 86_400,
            Wishes(repair, quick, anew, rate),
            None if store.is_disk else store,
        )
    except ConfigError as error:
        stop(config.located(error).mistakes, WRONG)
    except FilebotError as error:
        stop([str(error)], FAILED)
    sys.exit(code)


@main.command()
@click.option("--once", is_flag=True, help="Leave after the conversation.")
@click.option(
    "--plugins",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    multiple=True,
    help="A folder with plugins to try; may be given again.",
)
def demo(once: bool, plugins: tuple[Path, ...]) -> None:
    """Show a conversation on a private server.

    It needs Prosody, and leaves nothing behind.
    """
    from filebot.demo import conversation  # noqa: PLC0415 - see above

    sys.exit(conversation.main(once, plugins))


def _examine(config: Config) -> list[str]:
    """Go through what ``run`` goes through before it is online; return the names of plugins of others."""
    from filebot.plugin_loader import bundled  # noqa: PLC0415 - see above
    from filebot.preflight import prepared  # noqa: PLC0415

    reports: list[str] = []
    try:
        _, loaded = prepared(config, reports.append)
    except ConfigError as error:
        stop([*config.located(error).mistakes, *reports], WRONG)
    except FilebotError as error:
        stop([str(error)], FAILED)
    if reports:
        stop(reports, FAILED)
    own = {plugin.name for plugin in bundled()}
    return sorted({each.plugin.name for each in loaded} - own)


def _try(config: Config) -> None:
    """Print what works and what does not; leave with 1 if anything does not, with 2 if it never will."""
    from filebot import self_check  # noqa: PLC0415 - see above

    logs.set_up("error")
    logs.silence("slixmpp")  # what it complains about is told below, in words
    console = Console(highlight=False)
    code = 0
    try:
        findings = asyncio.run(self_check.probe(config))
    except ConfigError as error:
        stop(config.located(error).mistakes, WRONG)
    for name, works, detail, *for_good in findings:
        mark = Text("✓ ", "green") if works else Text("✗ ", "red")
        console.print(mark + Text(f"{name}: {detail}"), soft_wrap=True)
        if not works:
            code = max(code, WRONG if any(for_good) else FAILED)
    if code:
        sys.exit(code)


def _asked(question: str, **options: Any) -> Any:
    try:
        return click.prompt(question, show_default=False, **options)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError(f"nobody answers: {question}; give it as an option, see --help") from None
