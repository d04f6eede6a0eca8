"""Command ``filebot plugin purge``: shows what the catalog holds of a plugin, and removes it."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import humanize
from rapidfuzz import process

from filebot.catalog.mapping import translated
from filebot.catalog.plugin_purge import PluginHoldings, holdings, plugins_in, purge
from filebot.catalog.sqlite.examination import unusable
from filebot.catalog.sqlite.inspection import inspected
from filebot.catalog.sqlite.integrity import holds_nothing
from filebot.cli.plugin_survey import Survey, survey
from filebot.concurrency.locks import KeyedLocks
from filebot.config import Config
from filebot.data_folder import CATALOG, DataFolder, open_data_folder
from filebot.errors import ConfigError
from filebot.files.freed_blobs import FreedBlobs
from filebot.files.unused_blobs import UnusedBlobs
from filebot.preflight import configured_backends
from filebot.storage.folder_lock import FolderInUse, folder_lock
from filebot.system.ownership import check_owner

_KINDS: Final = {"plugin": "of its own", "entry": "of files", "person": "of people", "room": "of rooms"}


def purge_plugin(config: Config, name: str, agrees: Callable[[], bool] | None) -> bool:
    """Print what the catalog holds of a plugin, ask ``agrees``, and remove it.

    With None it is only shown. Return False if somebody did not agree. Raises ConfigError for what has to
    be changed before, PluginError or StorageError.
    """
    if not name.isidentifier():
        raise ConfigError(
            (f"{name!r} is no name of a plugin; filebot plugin list shows those that there are",)
        )
    require_unloaded(name, survey(config))
    path = examined_catalog(config.data_dir)
    if path is None:
        click.echo("there is no catalog yet, so it holds nothing of any plugin")
        return True
    held = holdings(path, name)
    if held.is_empty:
        click.echo(nothing_held(name, plugins_in(path)))
        show(name, held)
        return True
    if agrees is None:
        show(name, held)
        click.echo("nothing was removed; --yes does it")
        return True
    with _locked(config.data_dir):
        held = holdings(path, name)
        show(name, held)
        if not agrees():
            return False
    asyncio.run(_remove(config, name, held))
    click.echo("removed")
    return True


def require_unloaded(name: str, found: Survey) -> None:
    """Raise ConfigError for a plugin that a bot with this config would load, or if that cannot be told."""
    if found.weak:
        raise ConfigError(found.weak)
    for each in found.plugins:
        if each.name == name and each.state == "enabled":
            remedy = f'write [plugins] disabled = ["{name}"] in the config first'
            raise ConfigError((f"the plugin {name} is enabled; {remedy}",))


def examined_catalog(folder: Path) -> Path | None:
    """Return the catalog of a data folder, None if it holds nothing yet.

    Raises ConfigError for one that this filebot cannot use as it is.
    """
    path = folder / CATALOG
    if not folder.is_dir() or holds_nothing(path):
        return None
    if (reason := unusable(path)) is not None:
        raise ConfigError((f"data_dir: {path} {reason}",))
    with translated(), inspected(path, mend=False) as catalog:
        if catalog.version() != "current":
            raise ConfigError((f"data_dir: {path} is of an older filebot; start the bot once, then purge",))
    return path


def show(name: str, held: PluginHoldings) -> None:
    """Print a line for each kind of thing that the catalog holds of a plugin."""
    for line in _described(held):
        click.echo(f"{name}: {line}")


def _described(held: PluginHoldings) -> Iterator[str]:
    if held.values:
        kinds = ", ".join(f"{count:,} {_KINDS.get(kind, kind)}" for kind, count in held.values.items())
        details = f", {held.details:,} of them details of files" if held.details else ""
        size = humanize.naturalsize(held.value_bytes)
        yield f"{sum(held.values.values()):,} values ({kinds}{details}), {size}"
    if held.room_settings:
        yield f"{held.room_settings:,} settings of rooms"
    if held.jobs:
        yield f"{held.jobs:,} jobs"
    if held.attachments:
        yield f"{held.attachments:,} attachments of files, {humanize.naturalsize(held.attached_bytes)}"
    for table, rows in held.tables.items():
        yield f"table {table} with {rows:,} rows"
    if held.version and not held.refusals:
        yield f"version {held.version} of its migrations"
    for table, rows in held.refusals.items():
        if rows:
            yield f"table {table} with {rows:,} rows, which stay: people's opt-outs are not forgotten"


async def _remove(config: Config, name: str, shown: PluginHoldings) -> None:
    """Remove what was shown. The folder is locked and opened as by a bot."""
    path, store = config.data_dir / CATALOG, configured_backends(config).store
    async with open_data_folder(config.data_dir, store, config.limits.idle_timeout) as data:
        if holdings(path, name) != shown:
            raise ConfigError((f"data_dir: {path} has changed meanwhile; purge again",))
        await asyncio.to_thread(purge, path, name)
        await _delete_freed(data)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder. Raises ConfigError if this user cannot change it, or not now."""
    check_owner(folder)
    try:
        with folder_lock(folder):
            yield
    except FolderInUse as error:
        raise ConfigError((f"data_dir: {folder} is in use by {error.holder}; stop it first",)) from error


async def _delete_freed(data: DataFolder) -> None:
    """Delete the bytes of attachments that are gone, as the bot does it when a file is removed."""
    catalog = data.catalog
    unused = UnusedBlobs(data.store, catalog, catalog)
    await FreedBlobs(catalog.attachments, unused, KeyedLocks(asyncio.Lock)).collect()


def nothing_held(name: str, others: Collection[str]) -> str:
    """Return what to say of a plugin of which the catalog holds nothing."""
    text = f"the catalog holds nothing of a plugin {name}"
    match = process.extractOne(name, sorted(others), score_cutoff=60)
    if match:
        return f'{text}; did you mean "{match[0]}"?'
    return f"{text}; it holds something of: {', '.join(sorted(others))}" if others else text
