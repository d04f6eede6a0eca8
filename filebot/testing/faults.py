"""Faults that a test lets a fake bot have: each lasts as long as its context."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from filebot.errors import CatalogUnavailable, PeerGone, StorageError, TransferError
from filebot.model import HttpResponse
from filebot.ports import Catalog
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.http import MemoryWeb
from filebot.testing.xmpp import FakeStreams, FakeUploadService

WRITES: Final[dict[str, tuple[str, ...]]] = {
    "": (
        *("add", "rename", "adopt", "hand_over", "release", "remove", "clear_room"),
        *("save_room_setting", "set_language", "remember_room", "forget_room", "add_delivery"),
    ),
    "attachments": ("attach", "detach"),
    "jobs": ("add",),
    "occupant_proofs": ("add", "forget_person"),
    "plugin_data": ("change_value", "forget_person"),
    "plugin_tables": ("write",),
}
"""Methods of the catalog, by its parts, that write what people and plugins ask for."""


class Faults:
    """Faults of disk, catalog, network and deliveries: ``with bot.faults.full_store(): ...``."""

    def __init__(
        self,
        store: MemoryBlobs,
        catalog: Catalog,
        web: MemoryWeb,
        uploads: FakeUploadService,
        streams: FakeStreams,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._web = web
        self._uploads = uploads
        self._streams = streams

    @contextmanager
    def full_store(self) -> Iterator[None]:
        """Let there be no space for the bytes of files."""
        with _replaced(self._store, "capacity_bytes", 0):
            yield

    @contextmanager
    def failing_catalog(self, error: StorageError | None = None) -> Iterator[None]:
        """Let the catalog write nothing, for an error that is CatalogUnavailable if none is given.

        It is read all the same, and jobs that it has already are done.
        """
        refuse = _raising(error or CatalogUnavailable("the test lets the catalog fail"))
        with ExitStack() as replaced:
            for part, names in WRITES.items():
                target = getattr(self._catalog, part) if part else self._catalog
                for name in names:
                    replaced.enter_context(_replaced(target, name, refuse))
            yield

    @contextmanager
    def http(self, answer: int | TransferError) -> Iterator[None]:
        """Let all servers answer requests, downloads and uploads with a status, or fail with an error such
        as TransferTimeout.
        """
        with _replaced(self._web, "fault", HttpResponse(answer) if isinstance(answer, int) else answer):
            yield

    @contextmanager
    def failing_deliveries(self, error: TransferError | None = None) -> Iterator[None]:
        """Let no link and no stream bring a file to anybody; streams fail with an error that is PeerGone if
        none is given.
        """
        with (
            _replaced(self._uploads, "away", True),
            _replaced(self._streams, "fault", error or PeerGone("the test lets deliveries fail")),
        ):
            yield


def _raising(error: Exception) -> Callable[..., Any]:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    return refuse


@contextmanager
def _replaced(target: object, name: str, value: object) -> Iterator[None]:
    """Give an object another attribute for a while."""
    own = vars(target)
    before = {name: own[name]} if name in own else {}
    setattr(target, name, value)
    try:
        yield
    finally:
        delattr(target, name)
        own.update(before)
