"""Commands for plugins: for those who write them, and for those who run the bot.

What a command needs is imported when it runs, so that ``--help`` is quick.
"""

import sys
from functools import partial
from pathlib import Path

import click

from filebot.cli.common import FAILED, WRONG, config_option, loaded_config, printable, stop
from filebot.errors import ConfigError, FilebotError, PluginError

path_argument = click.argument("path", type=click.Path(path_type=Path, exists=True))


@click.group()
def plugin() -> None:
    """Write, examine and list plugins, and remove their data."""


@plugin.command(name="list")
@config_option
@click.pass_context
def list_(context: click.Context, path: Path) -> None:
    """List all plugins.

    It needs neither a running bot nor its data. Without a config it lists the plugins that came with
    filebot, and those that pip installed.

    Exit codes: 0 fine, 1 a plugin cannot be used, 2 the config cannot be read.
    """
    from filebot.cli.plugin_list import show  # noqa: PLC0415 - see above
    from filebot.cli.plugin_survey import survey  # noqa: PLC0415

    is_named = context.get_parameter_source("path") is not click.core.ParameterSource.DEFAULT
    config = loaded_config(path) if is_named or path.exists() else None
    try:
        found = survey(config)
    except FilebotError as error:
        stop([str(error)], FAILED)
    if config is not None:
        found = found.located(config)
    show(found)
    sys.exit(FAILED if found.has_problems else 0)


@plugin.command()
@path_argument
def check(path: Path) -> None:
    """Examine a plugin: a file, a package, or a folder with a pyproject.toml.

    It is loaded as the bot does it, and tells what the bot would refuse, templates that nothing uses, and
    what is not translated. Nothing of your bot is touched.

    Exit codes: 0 fine, 1 something is to be changed, 2 there is no plugin.
    """
    from filebot.cli.plugin_check import findings_at  # noqa: PLC0415 - see above

    try:
        findings = findings_at(path)
    except FilebotError as error:
        stop([str(error)], WRONG)
    for finding in findings:
        click.echo(printable(str(finding)))
    if not findings:
        click.echo("fine")
    sys.exit(FAILED if findings else 0)


@plugin.command()
@path_argument
def messages(path: Path) -> None:
    """Write what a plugin says anew into its .po files.

    A new message has an empty translation, for you to fill in; one that nothing has any more is removed.
    PATH is that of `filebot plugin check`.

    Exit codes: 0 fine, 1 it cannot be done.
    """
    from filebot.cli.plugin_check import catalogues_updated  # noqa: PLC0415 - see above
    from filebot.failures import shown  # noqa: PLC0415
    from filebot.plugin_loader import RAISED_BY_PLUGINS  # noqa: PLC0415

    try:
        changed = catalogues_updated(path)
    except RAISED_BY_PLUGINS as error:
        stop([shown(error)], FAILED)
    for each in changed:
        click.echo(f"Wrote {each}; fill in each empty msgstr.")
    if not changed:
        click.echo("fine")


@plugin.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where it is written; without it here.",
)
@click.option("--single-file", is_flag=True, help="One file and its tests, not a package.")
def new(name: str, folder: Path, single_file: bool) -> None:
    """Write a new plugin with its tests, to begin with.

    It is a package for pip in a new folder filebot-NAME, with words in English and Chinese.

    Exit codes: 0 fine, 1 it cannot be written, 2 the name cannot be used.
    """
    from filebot.cli.plugin_new import write_file, write_package  # noqa: PLC0415 - see above

    try:
        written = (write_file if single_file else write_package)(name, folder)
    except OSError as error:
        stop([f"{error.filename or folder} cannot be written: {error.strerror}"], FAILED)
    except FilebotError as error:
        stop([str(error)], WRONG)
    click.echo(f"Wrote {written}. Next:\n  filebot plugin check {written}\n  filebot plugin test {written}")
    if not single_file:
        click.echo(f"  pip install {written}")


@plugin.command(context_settings={"ignore_unknown_options": True})
@path_argument
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(path: Path, arguments: tuple[str, ...]) -> None:
    """Run the tests of a plugin: a file, a package, or a folder with a pyproject.toml.

    Further arguments are pytest's, and so are the exit codes; 2 also if there is no plugin or no test.
    """
    from filebot.cli.plugin_tests import run_tests  # noqa: PLC0415 - see above

    try:
        code = run_tests(path, arguments)
    except FilebotError as error:
        stop([str(error)], WRONG)
    sys.exit(code)


@plugin.command()
@click.argument("name")
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(name: str, path: Path, yes: bool) -> None:
    """Show what the catalog holds of a plugin, ask, and remove it.

    The plugin is disabled or not installed any more, and the bot is stopped. People's opt-outs from the
    archives of rooms stay. Where nobody can be asked, and without --yes, nothing is removed.

    Exit codes: 0 fine, 1 a failure, or the answer was no, 2 it cannot be done like this.
    """
    from filebot.cli.plugin_purge import purge_plugin  # noqa: PLC0415 - see above

    config = loaded_config(path)
    agrees = (lambda: True) if yes else partial(click.confirm, "Remove it? This cannot be undone")
    may_ask = yes or is_terminal()
    try:
        is_done = purge_plugin(config, name, agrees if may_ask else None)
    except ConfigError as error:
        stop(config.located(error).mistakes, WRONG)
    except PluginError as error:
        stop([str(error)], WRONG)
    except FilebotError as error:
        stop([str(error)], FAILED)
    if not is_done:
        stop(["nothing was removed"], FAILED)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()
