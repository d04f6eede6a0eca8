"""Sources of bytes by the scheme of their URL, made by the factories that packages announce."""

import asyncio
import logging
from collections.abc import Callable, Collection
from importlib.metadata import EntryPoint
from typing import Final

from filebot.backends.loading import OWN_PACKAGE, SCHEME, announced
from filebot.errors import ConfigError, PluginError
from filebot.ports import SourceServices, UrlSource

log = logging.getLogger(__name__)

SOURCES: Final = "filebot.sources"
"""The entry-point group by which pip packages announce a source; the name is its scheme."""

WEB: Final = frozenset({"http", "https"})
"""Schemes of the bot's own source."""


def load_sources(
    services: SourceServices, left_out: Callable[[str], None] = log.error
) -> dict[str, UrlSource]:
    """Return the source of each scheme.

    ``left_out`` is told of those that cannot be used, in one line each: nobody's files depend on them.
    Raises ConfigError if the bot's own are not there.
    """
    sources: dict[str, UrlSource] = {}
    # The bot's own come first, so that no other package can take their place.
    for found in sorted(announced(SOURCES), key=lambda each: not each.value.startswith(OWN_PACKAGE)):
        try:
            sources[found.name] = _made(found, services, sources)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            log.debug("source %s cannot be loaded", found.name, exc_info=error)
            text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            left_out(f"source {found.name} ({found.value}) cannot be used: {text}; going on without it")
    if not sources.keys() >= WEB:
        raise ConfigError(("the bot's own source of web addresses is not announced; install filebot anew",))
    return sources


def _made(found: EntryPoint, services: SourceServices, known: Collection[str]) -> UrlSource:
    if not SCHEME.fullmatch(found.name):
        raise PluginError(f"{found.name!r} is no scheme of URLs")
    if found.name in known:
        raise PluginError("there is a source of this scheme already")
    source: UrlSource = found.load()(services)
    if not callable(getattr(source, "get", None)):
        raise PluginError("what its factory returns has no method get")
    return source
