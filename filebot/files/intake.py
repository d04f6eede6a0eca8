"""The one door for bytes: from an open source to a durable blob and a catalog row.

The order is what makes "stored" true: limits, bytes to disk while hashing, everything announced checked,
blob durable, row durable. Whatever fails on the way leaves no blob, no row and no temporary file.

What came before a break is kept for a while, under a name made of whose file it is, what it is called and
how large it is: by whatever method the same file is offered next, it goes on from there. Nothing made of
two attempts is stored unless a hash over the whole proves it to be one file. Within one download by HTTP a
server's word for it is enough; where it gives none, the file is fetched once more from its beginning.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from filebot.concurrency.keyed_locks import KeyedLocks
from filebot.errors import (
    DigestMismatch,
    EmptyFile,
    PeerProtocolError,
    SizeMismatch,
    TransferError,
    Unresumable,
)
from filebot.filenames import UNNAMED, name_from_url, plain_text, safe_name
from filebot.files.damage import is_whole
from filebot.files.quota import Quota, Reservation
from filebot.files.transfers import Transfer
from filebot.files.unused_blobs import try_to_forget_unused
from filebot.model import BareJid, BlobRef, Digest, Entry, Identity, NewEntry, Offer, Scope
from filebot.ports import (
    BlobStore,
    BlobWriter,
    Catalog,
    Data,
    Download,
    HttpTransfer,
    Inspector,
    StreamOffer,
)

log = logging.getLogger(__name__)

CAPTION_LIMIT = 1000
"""Characters kept of what somebody wrote beside a file."""

PATIENCE_S = 3600.0
SLOWEST_BYTES = 1000
"""So many have to come for each second that a file takes longer than that, by whatever method it comes."""

SOURCES_TRIED = 3
"""Of the places where a peer says that its file can be had."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """The outcome of one drop."""

    entry: Entry
    already_known: bool
    """The owner had these bytes here before; ``entry`` is the old row."""
    name: str
    """What the file was called this time."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whose the file becomes, and where it is seen."""

    owner: Identity
    room: BareJid | None = None
    caption: str = ""
    auto_archived: bool = False
    """It is kept unasked, because the room keeps what is posted there."""
    source_message: str | None = None
    """As that of the entry."""
    recheck: Callable[[], object] = lambda: None
    """Called when all bytes are there, and again right before the row is made: the disk takes its time in
    between. Raises UserError if the owner may put no file there any more."""

    @property
    def scope(self) -> Scope:
        """The scope that the entry will be in."""
        return Scope(room=self.room) if self.room else Scope(owner=self.owner)


class Intake:
    """Takes files in."""

    def __init__(
        self,
        *,
        store: BlobStore,
        catalog: Catalog,
        http: HttpTransfer,
        inspector: Inspector,
        quota: Quota,
        locks: KeyedLocks[asyncio.Lock],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._http = http
        self._inspector = inspector
        self._quota = quota
        self._locks = locks
        self._clock = clock

    async def fetch(
        self, offer: Offer, destination: Destination, watch: Transfer | None = None
    ) -> IntakeResult:
        """Take the file that an offer points to, from the first of its sources that can be used.

        ``watch`` is told how far it is. Raises UserError, TransferError or StorageError; then nothing is
        left of it but, after a break, the bytes to go on with.

        What was stored just before a crash, from the same message, is not fetched again.
        """
        if destination.source_message is not None:
            made = await self._catalog.find_by_source_message(
                destination.scope, destination.owner, destination.source_message
            )
            if made is not None and await is_whole(self._store, made.blob.digest):
                return IntakeResult(made, already_known=False, name=made.name)
        failure: TransferError = PeerProtocolError("an offer without a source")
        for url in offer.urls[:SOURCES_TRIED]:
            try:
                source = WebSource(self._http, url, hashed=bool(offer.hashes))
                return await self._fetch(source, offer, destination, watch)
            except TransferError as error:
                failure = error
        raise failure

    async def receive(
        self, stream: StreamOffer, destination: Destination, watch: Transfer | None = None
    ) -> IntakeResult:
        """Take a file that a peer sends by a stream, if it may come in at all.

        If it is refused before the stream was accepted, declining it is up to the caller. Raises as
        :meth:`fetch`.
        """
        return await self._take(_Attempt(stream, stream.offer, destination, stream.offer.name), watch)

    async def _fetch(
        self, source: "WebSource", offer: Offer, destination: Destination, watch: Transfer | None
    ) -> IntakeResult:
        attempt = _Attempt(source, offer, destination, offer.name or name_from_url(source.url))
        try:
            return await self._take(attempt, watch)
        except (PeerProtocolError, Unresumable) as error:
            if not isinstance(error, Unresumable) and (not attempt.resumed_at or attempt.kept):
                raise
            log.info("%s of %s does not go on as it began: %s", attempt.name, destination.owner, error)
        # Nothing of what was there before is used, and all of it comes from here.
        return await self._take(attempt, watch)

    async def _take(self, attempt: "_Attempt", watch: Transfer | None) -> IntakeResult:
        offer, destination = attempt.offer, attempt.destination
        if offer.size == 0:
            raise EmptyFile
        async with (
            self._quota.reserve(destination.owner, offer.size, destination.room) as reservation,
            self._opened(attempt, reservation) as (writer, download),
        ):
            if download.size == 0:
                raise EmptyFile
            reservation.promise(download.size)
            if watch is not None:
                watch.starts_at(writer.size, download.size)
            with attempt.keeping(writer):
                await _receive(download, offer, writer, reservation, watch)
            digests = await _sealed(writer, offer)
            _check_hashes(digests, offer.hashes, download.late_hashes, resumed=attempt.resumed_at > 0)
            name = safe_name(offer.name or download.name)
            claimed = offer.media_type or download.media_type
            # Before the source is left: a sender that hears that the file has arrived may delete it.
            return await self._keep(
                writer,
                reservation,
                destination,
                digest=digests["sha-256"].hex(),
                name=name,
                claimed=claimed,
            )

    @asynccontextmanager
    async def _opened(
        self, attempt: "_Attempt", reservation: Reservation
    ) -> AsyncIterator[tuple[BlobWriter, Download]]:
        """The source, and a writer that begins where the source does."""
        source, offer = attempt.source, attempt.offer
        # COMPAT(Conversations): announces a SHA-1 and a SHA-256, both after the data.
        algorithms = (*offer.hashes, *(("sha-1",) if offer.hash_follows else ()))
        # Who has many files break does not fill the disk with them.
        await self._store.trim_partials(_of_owner(attempt.destination), reservation.left_bytes)
        async with AsyncExitStack() as stack:
            if offer.size is None:
                # Only the source can tell the size, and by it what the bytes are to be kept as.
                download = await stack.enter_async_context(source.accept())
                partial = attempt.partial_name(download.name, download.size)
                writer = await stack.enter_async_context(self._store.create(algorithms, partial))
                await self._quota.begins(reservation, writer.size)
            else:
                partial = attempt.partial_name(attempt.name, offer.size)
                writer = await stack.enter_async_context(
                    self._store.create(algorithms, partial, attempt.resume_at_most())
                )
                attempt.resumed_at = writer.size
                with attempt.keeping(writer):
                    await self._quota.begins(reservation, writer.size)
                    download = await stack.enter_async_context(source.accept(writer.size))
            yield writer, download

    async def _keep(
        self,
        writer: BlobWriter,
        reservation: Reservation,
        destination: Destination,
        *,
        digest: Digest,
        name: str,
        claimed: str | None,
    ) -> IntakeResult:
        # Nobody removes the last row of these bytes, or adds another, while this one is made.
        async with self._locks(digest):
            destination.recheck()
            known = await self._catalog.find_by_digest(destination.scope, destination.owner, digest)
            if known is not None:
                await writer.commit()  # in place of what is there: if that is lost or damaged, it is mended
                if known.auto_archived and not destination.auto_archived:
                    await self._catalog.adopt(known.id)
                # What came without a name came under no other one.
                return IntakeResult(known, already_known=True, name=known.name if name == UNNAMED else name)
            await self._quota.recheck(reservation)
            described: NewEntry | None = None
            try:
                described = await self._described(await writer.commit(), destination, name, claimed)
                # Nothing is awaited from here on until the row is on its way: what empties the room comes
                # behind it.
                destination.recheck()
                with reservation.settling():
                    entry = await self._catalog.add(described)
            except (Exception, asyncio.CancelledError) as error:
                # A cancelled row may get to the disk all the same. If not, the next sweep finds the blob.
                if isinstance(error, Exception) or described is None:
                    await try_to_forget_unused(self._store, self._catalog, digest)
                raise
            return IntakeResult(entry, already_known=False, name=name)

    async def _described(
        self, blob: BlobRef, destination: Destination, name: str, claimed: str | None
    ) -> NewEntry:
        async with self._store.local_file(blob.digest) as file:
            kind = await self._inspector.inspect(file, name, claimed)
        return NewEntry(
            name=name,
            owner=destination.owner,
            room=destination.room,
            caption=plain_text(destination.caption)[:CAPTION_LIMIT],
            blob=blob,
            media_type=kind.media_type,
            created_at=self._clock(),
            width=kind.width,
            height=kind.height,
            auto_archived=destination.auto_archived,
            source_message=destination.source_message,
        )


class Source(Protocol):
    """Where one file can be had, once."""

    @property
    def resumable(self) -> bool:
        """Whether ``accept`` can begin at an offset."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class WebSource:
    """A file behind a URL."""

    http: HttpTransfer
    url: str
    hashed: bool
    """Whether a hash over the whole is going to be checked."""
    resumable: bool = True

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        return self.http.get(self.url, offset, hashed=self.hashed)


@dataclass(slots=True)
class _Attempt:
    """One go at one source, and what became of it."""

    source: Source
    offer: Offer
    destination: Destination
    name: str | None
    """What the file is called before it is opened."""
    resumed_at: int = 0
    """How many bytes were there from before."""
    kept: bool = False
    """Whether there is something to go on with next time."""

    def partial_name(self, name: str | None, size: int | None) -> str | None:
        """The same for the same file of the same person, by whatever method; None if nothing is kept.

        Hashes have no part in it: they differ from method to method, and many clients send none. Nothing is
        kept without a size, and of those whom only a room tells apart: what is kept counts against its
        owner alone, and a room's service makes up as many of them as it likes.
        """
        if not size or "/" in self.destination.owner:
            return None
        known = "\0".join((self.destination.room or "", safe_name(name), str(size)))
        return _of_owner(self.destination) + hashlib.sha256(known.encode()).hexdigest()

    def resume_at_most(self) -> int:
        """How much of what is there may be used: none if no hash is going to prove that it belongs here.

        Never all of it: not every peer understands that it is asked for nothing.
        """
        provable = bool(self.offer.hashes) or self.offer.hash_follows
        return (self.offer.size or 1) - 1 if provable and self.source.resumable else 0

    @contextmanager
    def keeping(self, writer: BlobWriter) -> Iterator[None]:
        """Keep the bytes for the next attempt if the way fails, not if they are wrong."""
        self.kept = False
        try:
            yield
        except (TransferError, asyncio.CancelledError) as error:
            if writer.size and (not isinstance(error, PeerProtocolError) or _is_short(error)):
                self.kept = True
                writer.keep()
            raise


def _of_owner(destination: Destination) -> str:
    """How the names of all partials of somebody begin."""
    return hashlib.sha256(destination.owner.encode()).hexdigest()


def _is_short(error: PeerProtocolError) -> bool:
    """Whether a stream simply ended too early, as it does when the peer's process is killed."""
    return isinstance(error, SizeMismatch) and error.received_bytes < error.announced_bytes


async def _receive(
    download: Download,
    offer: Offer,
    writer: BlobWriter,
    reservation: Reservation,
    watch: Transfer | None,
) -> None:
    until_s = asyncio.get_running_loop().time() + PATIENCE_S - writer.size / SLOWEST_BYTES
    async with aclosing(download.chunks()) as chunks:
        while (chunk := await _next(chunks, until_s + writer.size / SLOWEST_BYTES)) is not None:
            size = writer.size + len(chunk)
            reservation.grow_to(size)
            _check_not_over(offer.size, size)
            await writer.write(chunk)
            reservation.wrote(size)
            if watch is not None:
                watch.moved(size)


async def _next(chunks: AsyncGenerator[Data, None], until_s: float) -> Data | None:
    """The next piece, or None at the end.

    Raises TransferError if neither has come by then: whoever sends a byte now and then, or what is no byte
    of the file at all, would hold one of the places of those who receive for ever.
    """
    try:
        async with asyncio.timeout_at(until_s) as limit:
            return await anext(chunks, None)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TransferError(f"less than {SLOWEST_BYTES} bytes a second") from error


async def _sealed(writer: BlobWriter, offer: Offer) -> Mapping[str, bytes]:
    """Finish the bytes and check how many there are; their digests."""
    if writer.size == 0:
        raise EmptyFile
    if offer.size is not None and writer.size != offer.size:
        raise SizeMismatch(announced_bytes=offer.size, received_bytes=writer.size)
    return await writer.seal()


def _check_hashes(
    digests: Mapping[str, bytes],
    announced: Mapping[str, bytes],
    late: Mapping[str, bytes],
    *,
    resumed: bool,
) -> None:
    """Check everything that was announced and can be checked. Raises DigestMismatch.

    A hash that was promised and did not come is missed only where bytes of two attempts were joined.
    """
    checked = False
    for hashes in (announced, late):
        for algorithm in hashes.keys() & digests.keys():
            if digests[algorithm] != hashes[algorithm]:
                raise DigestMismatch(algorithm=algorithm, resumed=resumed)
            checked = True
    if resumed and not checked:
        raise DigestMismatch(resumed=True)


def _check_not_over(announced_bytes: int | None, received_bytes: int) -> None:
    if announced_bytes is not None and received_bytes > announced_bytes:
        raise SizeMismatch(announced_bytes=announced_bytes, received_bytes=received_bytes)
