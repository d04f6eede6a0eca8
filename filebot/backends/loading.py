"""Finding and opening of backends: each is an entry point, named after the scheme of a URL in the config.

A backend that the config names and that cannot be used keeps the bot from starting: a bot that stores
nothing, or lets pass what a scanner would have refused, is worse than none.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from filebot.errors import BackendUnavailable, ConfigError, FilebotError, NoDescriptors, StorageFull
from filebot.failures import shown
from filebot.ports import BackendServices, BlobStore, Inspector, Scanner

log = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_LIMIT_S: Final = 30.0
"""Time that a foreign backend has to open, and likewise to close."""

DISK: Final = "disk:"
LIBMAGIC: Final = "libmagic:"

OWN_PACKAGE: Final = "filebot."
"""Beginning of the modules of the bot's own backends."""

SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}")

Factory = Callable[[BackendServices], AbstractAsyncContextManager[T]]


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of backends."""

    name: str
    group: str
    """Group of its entry points."""
    methods: tuple[str, ...]
    """Methods that it cannot do without."""


STORES: Final[Kind[BlobStore]] = Kind(
    "store",
    "filebot.stores",
    (
        *("create", "read", "local_file", "verify", "delete", "digests", "free_bytes"),
        *("set_aside", "bring_back", "aside", "expired", "forget_aside"),
        *("forget_partials", "trim_partials"),
    ),
)
INSPECTORS: Final[Kind[Inspector]] = Kind("inspector", "filebot.inspectors", ("inspect",))
SCANNERS: Final[Kind[Scanner]] = Kind("scanner", "filebot.scanners", ("scan",))


@dataclass(frozen=True, slots=True)
class Backend(Generic[T]):
    """Backend that was found and imported, and is not open yet."""

    kind: Kind[T]
    key: str
    """The key of the config that names it."""
    url: str
    origin: str
    """The module and name of its factory."""
    factory: Factory[T]

    @property
    def scheme(self) -> str:
        """The name of its entry point."""
        return self.url.partition(":")[0]

    @property
    def is_own(self) -> bool:
        """Whether it came with the bot."""
        return self.origin.startswith(OWN_PACKAGE)

    @property
    def is_disk(self) -> bool:
        """Whether it is the store in the data folder."""
        return self.kind.name == STORES.name and self.url.startswith(DISK)

    @asynccontextmanager
    async def opened(self, data_dir: Path, idle_s: float) -> AsyncIterator[T]:
        """Open it, as long as the context is.

        Raises ConfigError if it is broken, BackendUnavailable if another try may help, and StorageFull or
        NoDescriptors.
        """
        async with AsyncExitStack() as stack:
            services = BackendServices(self.url, data_dir, idle_s)
            try:
                async with asyncio.timeout(None if self.is_own else OPEN_LIMIT_S):
                    context = self.factory(services)
                    backend = await context.__aenter__()
                    stack.push_async_exit(partial(self._close, context))
            except (ConfigError, StorageFull, NoDescriptors):
                raise
            except (FilebotError, OSError) as error:  # TimeoutError is one
                reason = str(error) or f"it is not open after {OPEN_LIMIT_S:g} s"
                raise BackendUnavailable(
                    f"{self._line('cannot be opened')}: {_one_line(reason)}"
                ) from error
            except (Exception, SystemExit) as error:
                raise self._broken(error) from error
            for method in self.kind.methods:
                if not callable(getattr(backend, method, None)):
                    raise ConfigError((f"{self._line('cannot be used')}: it has no method {method}",))
            yield backend

    async def _close(self, context: AbstractAsyncContextManager[T], *error: Any) -> None:
        """Close it. Trouble with that is logged alone: whatever is to be told, another error tells."""
        try:
            async with asyncio.timeout(None if self.is_own else OPEN_LIMIT_S):
                await context.__aexit__(*error)
        except (Exception, SystemExit) as raised:
            if raised is not error[1]:
                log.exception("%s", self._line("failed when it was closed"))

    def _broken(self, error: BaseException) -> ConfigError:
        return _broken(self._line("cannot be used"), error)

    def _line(self, what: str) -> str:
        # The URL may have a password.
        return f"{self.key}: {self.kind.name} {self.scheme} ({self.origin}) {what}"


@dataclass(frozen=True, slots=True)
class Backends:
    """Backends that the config names."""

    store: Backend[BlobStore]
    inspector: Backend[Inspector]
    scanners: tuple[Backend[Scanner], ...] = ()


def load_backends(store: str = DISK, inspector: str = LIBMAGIC, scanners: Sequence[str] = ()) -> Backends:
    """Import the backends with these URLs. Raises ConfigError with every mistake."""
    wanted: list[tuple[Kind[Any], str, str]] = [
        (STORES, "store.url", store),
        (INSPECTORS, "files.inspector", inspector),
        *((SCANNERS, "files.scanners", url) for url in scanners),
    ]
    mistakes, loaded = list[str](), list[Backend[Any]]()
    for kind, key, url in wanted:
        try:
            loaded.append(_load(kind, key, url))
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return Backends(loaded[0], loaded[1], tuple(loaded[2:]))


def announced(group: str) -> Iterator[EntryPoint]:
    """Return the entry points of pip packages; one whose metadata cannot be read has none."""
    try:
        yield from entry_points(group=group)
    except Exception:  # noqa: BLE001 - whatever the parser of these files raises
        for distribution in distributions():
            try:
                yield from distribution.entry_points.select(group=group)
            except Exception as error:  # noqa: BLE001
                log.error("the entry points of %s cannot be read: %s", distribution.name, error)


def _load(kind: Kind[T], key: str, url: str) -> Backend[T]:
    scheme = url.partition(":")[0]
    there = list(announced(kind.group))
    found = [each for each in there if each.name == scheme]
    if not any(each.value.startswith(OWN_PACKAGE) for each in there) and kind.group != SCANNERS.group:
        raise ConfigError((f"{key}: the bot's own {kind.name} is not announced; install filebot anew",))
    if not found:
        known = ", ".join(sorted({each.name for each in there})) or "none"
        raise ConfigError(
            (f'{key}: no installed package has the {kind.name} "{scheme}"; there is {known}',)
        )
    if len(found) > 1:
        origins = " and ".join(each.value for each in found)
        raise ConfigError(
            (f'{key}: several packages have the {kind.name} "{scheme}": {origins}; keep one',)
        )
    [point] = found
    line = f"{key}: {kind.name} {scheme} ({point.value}) cannot be used"
    try:
        factory = point.load()
    except (Exception, SystemExit, asyncio.CancelledError, GeneratorExit) as error:
        raise _broken(line, error) from error
    if not callable(factory):
        raise ConfigError((f"{line}: it is {type(factory).__name__}, and no function or class",))
    return Backend(kind, key, url, point.value, cast("Factory[T]", factory))


def _broken(line: str, error: BaseException) -> ConfigError:
    log.debug("%s", line, exc_info=error)
    return ConfigError((f"{line}: {shown(error)}",))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
