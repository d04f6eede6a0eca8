"""Backends of installed packages, found by their entry points: sources of bytes by URL scheme."""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from filebot.errors import PluginError
from filebot.plugin.sources import SourceServices
from filebot.ports import UrlSource

log = logging.getLogger(__name__)

SOURCES: Final = "filebot.sources"
"""The entry-point group by which pip packages announce a source; the name is its scheme."""

SourceFactory = Callable[[SourceServices], UrlSource]

BUNDLED: Final[Mapping[str, SourceFactory]] = {
    "https": lambda services: services.http,
    "http": lambda services: services.http,
}

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}")


def load_sources(
    services: SourceServices, left_out: Callable[[str], None] = log.error
) -> dict[str, UrlSource]:
    """Return the source of each scheme, made by the factories that the bot and installed packages have.

    ``left_out`` is told of those that cannot be used, in one line each.
    """
    sources = {scheme: factory(services) for scheme, factory in BUNDLED.items()}
    for found in entry_points(group=SOURCES):
        try:
            sources[found.name] = _made(found, services, sources)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            log.debug("source %s cannot be loaded", found.name, exc_info=error)
            text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            left_out(f"source {found.name} ({found.value}) cannot be used: {text}; going on without it")
    return sources


def _made(found: EntryPoint, services: SourceServices, known: Collection[str]) -> UrlSource:
    if not _SCHEME.fullmatch(found.name):
        raise PluginError(f"{found.name!r} is no scheme of URLs")
    if found.name in known:
        raise PluginError("there is a source of this scheme already")
    source: UrlSource = found.load()(services)
    if not callable(getattr(source, "get", None)):
        raise PluginError("what its factory returns has no method get")
    return source
