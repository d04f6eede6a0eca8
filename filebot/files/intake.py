"""Intake of every file that is kept: from an offer to a durable blob and a catalog row.

The order is what makes "stored" true: limits, bytes to disk while hashing, everything announced verified,
the checks of plugins, blob durable, row durable, event. Whatever fails on the way leaves no blob, no row
and no temporary file; after a break, the bytes to go on with are kept (see :mod:`filebot.files.receiving`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final

from filebot.checks.acts import FileOffered, FileReceived
from filebot.checks.checks import Checks
from filebot.concurrency.locks import KeyedLocks
from filebot.errors import (
    EmptyFile,
    FileGone,
    PeerProtocolError,
    PluginStoreFull,
    TransferError,
    Unresumable,
)
from filebot.events.bus import Change, EventBus
from filebot.events.facts import Actor, Event, FileAutoArchived, FileStored
from filebot.filenames import UNNAMED, name_from_url, plain_text, safe_name
from filebot.files.damage import is_whole
from filebot.files.default_names import default_name
from filebot.files.details import with_details
from filebot.files.offers import name_of
from filebot.files.quota import Quota, Reservation
from filebot.files.received import ReceivedFile, ReceivedFileChecks
from filebot.files.receiving import Attempt, Source, WebSource, check_hashes, partials_of, receive, sealed
from filebot.files.transfers import Transfer
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import (
    LONGEST_NICK,
    BareJid,
    BlobRef,
    DataKey,
    DataOwner,
    Entry,
    FileKind,
    Identity,
    NewEntry,
    NewValue,
    Offer,
    Outbox,
    OwnerKind,
    Scope,
)
from filebot.ports import (
    BlobStore,
    BlobWriter,
    Download,
    Entries,
    Inspector,
    PluginData,
    UrlSource,
)

log = logging.getLogger(__name__)

CAPTION_LIMIT = 1000
"""Characters kept of what somebody wrote beside a file."""

SOURCES_TRIED = 3
"""Sources that are tried, of those where a peer says that its file can be had."""

Place = AbstractAsyncContextManager[Transfer | None]
"""Context that waits for a slot, held until the file is stored; gives what shows how far it is, if any."""

ANY_PLACE: Final[Place] = nullcontext()


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """Outcome of one intake."""

    entry: Entry
    already_known: bool
    """The owner had these bytes here before; ``entry`` is the old row."""
    name: str
    """Name of the file this time."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Owner of a file to be kept, and the place where it is seen."""

    owner: Identity
    by: Actor
    """On whose behalf it is kept."""
    room: BareJid | None = None
    caption: str = ""
    auto_archived: bool = False
    """It is kept unasked, because the room keeps what is posted there."""
    from_history: bool = False
    """So it is, among what had been posted before."""
    source_message: str | None = None
    """The entry's (see ``NewEntry``)."""
    came_late: bool = True
    """This message did not come live: an earlier run of the bot may have taken its file."""
    recheck: Callable[[], object] = lambda: None
    """Called when all bytes are there, and again right before the row is made: the disk takes its time in
    between. Raises UserError if the owner may put no file there any more."""
    is_wanted: Callable[[], bool] = lambda: True
    """Whether the bytes may be kept to go on with after a break: not if their message was taken back."""

    @property
    def shared_by(self) -> str:
        """The owner's nick, where they keep it in the room that they speak in."""
        sender = self.by.sender
        mine = self.room is not None and sender.room == self.room and self.owner in sender.identities
        return sender.nick[:LONGEST_NICK] if mine else ""

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
        entries: Entries,
        data: PluginData,
        unused: UnusedBlobs,
        sources: UrlSource,
        inspector: Inspector,
        quota: Quota,
        locks: KeyedLocks[asyncio.Lock],
        clock: Callable[[], datetime],
        events: EventBus,
        checks: Checks,
    ) -> None:
        self._store = store
        self._entries = entries
        self._data = data
        self._unused = unused
        self._sources = sources
        self._inspector = inspector
        self._quota = quota
        self._locks = locks
        self._clock = clock
        self._events = events
        self._checks = checks
        self._received_checks = ReceivedFileChecks(checks, store, inspector)

    async def fetch(self, offer: Offer, destination: Destination, place: Place = ANY_PLACE) -> IntakeResult:
        """Take the file that an offer points to, from the first of its sources that can be used.

        FileStored or FileAutoArchived tells of it. Raises UserError, TransferError or StorageError; then
        nothing is left of it but, after a break, the bytes to go on with.

        What was stored just before a crash, from the same message, is not fetched again. FileGone is raised
        if it was removed since.
        """
        async with self._events.change() as change:
            if (made := await self._made_before(destination)) is not None:
                result = _added(made)
                # The row was made together with the record of its event.
                change.tell(*_events_of(destination, result), recorded=True)
                return result
            async with place as watch:
                return await self._fetch(offer, destination, watch, change)

    async def take(
        self, source: Source, offer: Offer, destination: Destination, place: Place = ANY_PLACE
    ) -> IntakeResult:
        """Take a file from one source, such as a stream, if it may come in at all.

        If it is refused before the source was opened, declining it is up to the caller. Tells and raises as
        :meth:`fetch`.
        """
        async with self._events.change() as change, place as watch:
            offer = await self._checked(offer, destination)
            attempt = Attempt(source, offer, destination.owner, destination.room, offer.name)
            return await self._take(attempt, destination, watch, change)

    async def _fetch(
        self, offer: Offer, destination: Destination, watch: Transfer | None, change: Change
    ) -> IntakeResult:
        offer = await self._checked(offer, destination)
        failure: TransferError = PeerProtocolError("an offer without a source")
        for url in offer.urls[:SOURCES_TRIED]:
            try:
                return await self._fetch_from(url, offer, destination, watch, change)
            except TransferError as error:
                failure = error
        raise failure

    async def _checked(self, offer: Offer, destination: Destination) -> Offer:
        """Return the offer as the checks want it. Raises UserError or CheckFailed."""
        if FileOffered not in self._checks.by_act:
            return offer
        by, name, url = destination.by, name_of(offer), next(iter(offer.urls), None)
        facts = (name, offer.size, offer.media_type, MappingProxyType(offer.hashes), url)
        where = (destination.room, destination.auto_archived)
        wanted = await self._checks.passed(FileOffered(by.sender, by.language, *facts, *where))
        return offer if wanted.name == name else replace(offer, name=wanted.name)

    async def _made_before(self, destination: Destination) -> Entry | None:
        """Return the entry that the same message made just before a crash.

        Raises FileGone if it was removed since, or is not the owner's any more.
        """
        message = destination.source_message
        if message is None or not destination.came_late:
            return None
        made = await self._entries.find_by_source_message(destination.scope, destination.owner, message)
        if made is not None:
            return made if await is_whole(self._store, made.blob.digest) else None
        if await self._entries.is_gone(destination.owner, message):
            raise FileGone
        return None

    async def _fetch_from(
        self, url: str, offer: Offer, destination: Destination, watch: Transfer | None, change: Change
    ) -> IntakeResult:
        source = WebSource(self._sources, url, hashed=bool(offer.hashes))
        owner, room = destination.owner, destination.room
        name = offer.name or name_from_url(url)
        attempt = Attempt(source, offer, owner, room, name, is_wanted=destination.is_wanted)
        try:
            return await self._take(attempt, destination, watch, change)
        except (PeerProtocolError, Unresumable) as error:
            if not isinstance(error, Unresumable) and (not attempt.resumed_at or attempt.kept):
                raise
            log.info("%s of %s does not go on as it began: %s", attempt.name, owner, error)
        # Nothing of what was there before is used, and all of it comes from here.
        return await self._take(attempt, destination, watch, change)

    async def _take(
        self, attempt: Attempt, destination: Destination, watch: Transfer | None, change: Change
    ) -> IntakeResult:
        offer = attempt.offer
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
                await receive(download, offer, writer, reservation, watch)
            digests = await sealed(writer, offer)
            check_hashes(digests, offer.hashes, download.late_hashes, resumed=attempt.resumed_at > 0)
            name = safe_name(offer.name or download.name)
            claimed = offer.media_type or download.media_type
            file = ReceivedFile(writer, digests["sha-256"].hex(), name, claimed)
            # Before the source is left: a sender that hears that the file has arrived may delete it.
            if FileReceived not in self._checks.by_act:
                return await self._keep(file, reservation, destination, change)
            auto_archived = destination.auto_archived
            async with self._received_checks.passed(
                file, destination.by, destination.room, reservation, auto_archived=auto_archived
            ) as checked:
                return await self._keep(checked, reservation, destination, change)

    @asynccontextmanager
    async def _opened(
        self, attempt: Attempt, reservation: Reservation
    ) -> AsyncIterator[tuple[BlobWriter, Download]]:
        """Open the source, and a writer that begins where the source does."""
        source, offer = attempt.source, attempt.offer
        # COMPAT(Conversations): announces a SHA-1 and a SHA-256, both after the data.
        algorithms = (*offer.hashes, *(("sha-1",) if offer.hash_follows else ()))
        # The partials of an owner with many broken transfers must not fill the disk.
        await self._store.trim_partials(partials_of(attempt.owner), reservation.left_bytes)
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
        self, file: ReceivedFile, reservation: Reservation, destination: Destination, change: Change
    ) -> IntakeResult:
        writer, digest, name = file.writer, file.digest, file.name
        # Nobody removes the last row of these bytes, or adds another, while this one is made.
        async with self._locks(digest):
            destination.recheck()
            known = await self._entries.find_by_digest(destination.scope, destination.owner, digest)
            if known is not None:
                await writer.commit()  # in place of what is there: if that is lost or damaged, it is mended
                if destination.source_message is not None:
                    # Before it is answered: then the entry may be removed.
                    await self._entries.note_source(known, destination.source_message, self._clock())
                await self._annotate(known, file.values)
                # A file that came without a name is called by the name that it is stored under.
                shown = known.name if name == UNNAMED else name
                result = IntakeResult(known, already_known=True, name=shown)
                if known.auto_archived and not destination.auto_archived:
                    await change.write(
                        lambda outbox: self._entries.adopt(known.id, outbox=outbox),
                        lambda _: _events_of(destination, result),
                    )
                else:
                    change.tell(*_events_of(destination, result))
                return result
            await self._quota.recheck(reservation)
            kind = file.kind or await self._kind_of(file)
            if name == UNNAMED:
                name = default_name(kind.media_type)
            described: NewEntry | None = None
            try:
                described = self._described(await writer.commit(), destination, name, kind)
                add = partial(self._add, described, file.values, reservation, destination)
                return _added(await change.write(add, lambda new: _events_of(destination, _added(new))))
            except (Exception, asyncio.CancelledError) as error:
                # A cancelled row gets to the disk all the same. If it fails, the next sweep finds the blob.
                if isinstance(error, Exception) or described is None:
                    await self._unused.forget(digest)
                raise

    async def _add(
        self,
        described: NewEntry,
        values: Sequence[NewValue],
        reservation: Reservation,
        destination: Destination,
        outbox: Outbox[Entry] | None,
    ) -> Entry:
        # Nothing is awaited until the row is on its way: what empties the room comes behind it.
        destination.recheck()
        with reservation.settling():
            return await self._entries.add(described, values=values, outbox=outbox)

    async def _annotate(self, known: Entry, values: Sequence[NewValue]) -> None:
        """Keep these of an entry that is there already, beside what is kept of it."""
        owner = DataOwner(OwnerKind.ENTRY, str(known.id))
        for each in values:
            try:
                await self._data.change_value(
                    DataKey(each.plugin, owner, each.key), partial(with_details, each.value)
                )
            except (PluginStoreFull, ValueError) as error:
                log.error("details of plugin %s are not kept of #%d: %s", each.plugin, known.id, error)

    async def _kind_of(self, file: ReceivedFile) -> FileKind:
        async with file.writer.local_file() as path:
            return await self._inspector.inspect(path, file.name, file.claimed)

    def _described(self, blob: BlobRef, destination: Destination, name: str, kind: FileKind) -> NewEntry:
        return NewEntry(
            name=name,
            owner=destination.owner,
            room=destination.room,
            caption=plain_text(destination.caption)[:CAPTION_LIMIT],
            blob=blob,
            media_type=kind.media_type,
            has_macros=kind.has_macros,
            created_at=self._clock(),
            width=kind.width,
            height=kind.height,
            auto_archived=destination.auto_archived,
            shared_by=destination.shared_by,
            source_message=destination.source_message,
        )


def _added(entry: Entry) -> IntakeResult:
    return IntakeResult(entry, already_known=False, name=entry.name)


def _events_of(destination: Destination, result: IntakeResult) -> list[Event]:
    by = destination.by
    if not destination.auto_archived:
        return [FileStored(by.sender, by.language, result.entry, result.already_known, result.name)]
    if result.already_known:
        return []
    return [FileAutoArchived(by.sender, by.language, result.entry, destination.from_history)]
