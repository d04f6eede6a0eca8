"""Reload: config and one-file plugins are read anew while the bot runs, in one step or not at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Changes that a reload has made, and what it could not change."""

    added: tuple[str, ...] = ()
    """Names of plugins."""
    changed: tuple[str, ...] = ()
    """Names of plugins with other code or settings."""
    removed: tuple[str, ...] = ()
    """Plugins that are not loaded any more."""
    restart: tuple[str, ...] = ()
    """Keys of the config, and pip packages, that changed and take effect at the next start only."""
    notes: tuple[str, ...] = ()
    """A line for each plugin that is left out as before, and for each template that is not used."""


Reload = Callable[[], Awaitable[Reloaded]]
"""Function that reads config and one-file plugins anew. Raises ReloadRefused."""
