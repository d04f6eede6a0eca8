"""Received files: complete and hashed, not kept yet; and the checks on them."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filebot.checks.acts import FileReceived
from filebot.checks.checks import Check, Checks
from filebot.checks.reading import PIECE_BYTES, read_piece, remove, stamp_of
from filebot.errors import CheckFailed, EmptyFile
from filebot.events.facts import Actor
from filebot.filenames import safe_name
from filebot.files.details import DETAILS, merged, written
from filebot.files.quota import Reservation
from filebot.model import BareJid, Digest, FileKind, JsonValue, NewValue
from filebot.ports import BlobStore, BlobWriter, Inspector

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """File of which all bytes are there, and are those that were announced."""

    writer: BlobWriter
    """Sealed."""
    digest: Digest
    name: str
    claimed: str | None
    """The sender's media type."""
    kind: FileKind | None = None
    """None until it was needed."""
    values: Sequence[NewValue] = ()
    """Values that plugins keep of it."""


class ReceivedFileChecks:
    """Asks the checks of files that are about to be kept."""

    def __init__(self, checks: Checks, store: BlobStore, inspector: Inspector) -> None:
        self._checks = checks
        self._store = store
        self._inspector = inspector

    @asynccontextmanager
    async def passed(
        self,
        file: ReceivedFile,
        by: Actor,
        room: BareJid | None,
        reservation: Reservation,
        *,
        auto_archived: bool,
    ) -> AsyncIterator[ReceivedFile]:
        """Give the file as the checks want it; it may have other bytes, which go with the context unless
        they are committed.

        Raises the UserError of a check that refuses, CheckFailed, EmptyFile, FileTooLarge, QuotaExceeded,
        RoomQuotaExceeded or StorageError.
        """
        async with AsyncExitStack() as stack:
            examination = _Examination(self._store, self._inspector, reservation, stack)
            examined = await examination.begin(file)
            act = FileReceived(
                by.sender,
                by.language,
                examined.file.name,
                file.writer.size,
                examined.kind.media_type,
                examined.kind.width,
                examined.kind.height,
                file.digest,
                examined.path,
                room,
                auto_archived,
            )
            await self._checks.passed(act, examination.take_over)
            if not await examination.is_intact():
                authors = ", ".join(each.author for each in self._checks.by_act[FileReceived])
                log.error("a check of one of these changed a file in place: %s", authors)
                raise CheckFailed(author=authors)
            yield replace(examination.examined.file, values=examination.values())


@dataclass(frozen=True, slots=True)
class _Examined:
    """File that checks can look at."""

    file: ReceivedFile
    kind: FileKind
    path: Path
    stamp: tuple[int, int, int]


class _Examination:
    """One file between its checks, which may replace it."""

    def __init__(
        self, store: BlobStore, inspector: Inspector, reservation: Reservation, stack: AsyncExitStack
    ) -> None:
        self._store = store
        self._inspector = inspector
        self._reservation = reservation
        self._stack = stack
        self._details: dict[str, tuple[dict[str, JsonValue], bool]] = {}
        """Details by plugin, each with whether the file may be kept without them."""
        self.examined: _Examined
        """The file as it is by now; set by :meth:`begin`."""

    async def begin(self, file: ReceivedFile) -> _Examined:
        """Open the file for reading, as long as the stack is, and find its type."""
        self.examined = await self._opened(file)
        return self.examined

    def values(self) -> Sequence[NewValue]:
        """Return the values that plugins keep of the file."""
        return [
            NewValue(plugin, DETAILS, written(details), dispensable)
            for plugin, (details, dispensable) in self._details.items()
        ]

    async def take_over(self, check: Check, act: FileReceived) -> FileReceived:
        """Do what a check wants, and return the act for the next one.

        Raises OSError or ValueError if it cannot be done.
        """
        before, dispensable = self._details.get(check.plugin, ({}, True))
        details = merged(before, act.annotations)
        file = replace(self.examined.file, name=safe_name(act.name))
        if act.replacement is None:
            examined = await self._of_kind(file, self.examined.path, self.examined.stamp)
        else:
            examined = await self._opened(await self._replaced(file, act.replacement, act.path))
        self.examined = examined
        if act.annotations:
            self._details[check.plugin] = (details, dispensable and check.passes_on_failure)
        return replace(
            act,
            name=examined.file.name,
            size=examined.file.writer.size,
            media_type=examined.kind.media_type,
            width=examined.kind.width,
            height=examined.kind.height,
            digest=examined.file.digest,
            path=examined.path,
            replacement=None,
            annotations={},
        )

    async def is_intact(self) -> bool:
        """Whether the file shows no sign of a change since it was hashed."""
        try:
            return await stamp_of(self.examined.path) == self.examined.stamp
        except OSError:
            return False

    async def _opened(self, file: ReceivedFile) -> _Examined:
        path = await self._stack.enter_async_context(file.writer.local_file())
        return await self._of_kind(file, path, await stamp_of(path))

    async def _of_kind(self, file: ReceivedFile, path: Path, stamp: tuple[int, int, int]) -> _Examined:
        kind = await self._inspector.inspect(path, file.name, file.claimed)
        return _Examined(replace(file, kind=kind), kind, path, stamp)

    async def _replaced(self, file: ReceivedFile, by: bytes | Path, path: Path) -> ReceivedFile:
        if isinstance(by, bytes):
            return await self._stored(file, by, len(by))
        if by == path:
            raise OSError(f"{by} cannot take its own place")
        try:
            _, size, _ = await stamp_of(by)
            return await self._stored(file, by, size)
        finally:
            await remove(by)

    async def _stored(self, file: ReceivedFile, source: bytes | Path, size: int) -> ReceivedFile:
        """Write the bytes that take the place of the file's; both are on the disk for a while."""
        if size == 0:
            raise EmptyFile
        self._reservation.writes_beside(size)
        writer = await self._stack.enter_async_context(self._store.create())
        while writer.size < size:
            wanted = min(PIECE_BYTES, size - writer.size)
            if isinstance(source, bytes):
                piece = source[writer.size : writer.size + wanted]
            else:
                piece = await read_piece(source, wanted, writer.size)
            if not piece:
                raise OSError(f"{source!r} became shorter while it was read")
            await writer.write(piece)
            self._reservation.wrote_beside(len(piece))
        digests = await writer.seal()
        # The claim was about the other bytes.
        return ReceivedFile(writer, digests["sha-256"].hex(), file.name, None)
