"""Checks of the whole configuration before anything is opened: the same for ``run`` and ``check``."""

import logging
from collections.abc import Callable
from pathlib import Path

from filebot.backends.loading import Backends, load_backends
from filebot.catalog.sqlite.examination import unusable
from filebot.config import Config
from filebot.data_folder import CATALOG
from filebot.errors import ConfigError
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin_files import PluginFiles
from filebot.plugin_loader import load, weaknesses
from filebot.replies import Replies
from filebot.storage.folders import obstacle
from filebot.system.ownership import weakness

log = logging.getLogger(__name__)


def prepared(
    config: Config,
    report: Callable[[str], None] = log.error,
    *,
    files: PluginFiles | None = None,
    left_out: Callable[[str], None] | None = None,
) -> tuple[Replies, list[LoadedPlugin]]:
    """Go through the whole config as far as that leaves no traces; return words and plugins.

    ``report`` is told, in a line each, of plugins of others that cannot be used (or ``left_out``, if that
    is given), and of the operator's templates that are not. ``files`` loads plugins that are one file.
    Raises ConfigError with every mistake.
    """
    mistakes: list[str] = []
    plugins: list[LoadedPlugin] = []
    reason = obstacle(config.data_dir)
    if reason is not None:
        mistakes += _unwritable(config.data_dir, reason).mistakes
    elif (reason := unusable(catalog := config.data_dir / CATALOG)) is not None:
        mistakes.append(f"data_dir: {catalog} {reason}")
    try:
        configured_backends(config)
    except ConfigError as error:
        mistakes += error.mistakes
    try:
        replies = Replies(config.replies.language, config.replies.templates)
    except ConfigError as error:
        mistakes += error.mistakes
        replies = Replies()
    wanted = config.plugins
    weak = [f"plugins.paths: {reason}" for reason in weaknesses(wanted.paths)]
    if (reason := weakness(config.data_dir)) is not None:
        weak.append(f"data_dir: {reason}")
    if weak:
        # Nothing of these folders is run, not even to see what else is wrong.
        raise ConfigError((*mistakes, *weak))
    try:
        plugins = load(
            wanted.settings,
            replies,
            disabled=wanted.disabled,
            paths=wanted.paths,
            files=files,
            left_out=left_out or report,
        )
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    for outdated in replies.outdated_overrides():
        report(outdated)
    return replies, plugins


def configured_backends(config: Config) -> Backends:
    """Return the backends that the config names. Raises ConfigError."""
    return load_backends(config.store.url, config.files.inspector, config.files.scanners)


def make_data_dir(folder: Path) -> None:
    """Make it if it is missing, readable by the bot alone. Raises ConfigError if it cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error


def _unwritable(folder: Path, reason: str) -> ConfigError:
    return ConfigError((f"data_dir: {folder} cannot be written: {reason}; correct the path or its rights",))
