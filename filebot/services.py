"""All services put together on a set of ports."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from filebot.concurrency.keyed_locks import KeyedLocks
from filebot.delivery.client_history import ClientHistory
from filebot.delivery.context import DeliveryContext
from filebot.delivery.diagnostics import Diagnostics
from filebot.delivery.queue import DeliveryQueue
from filebot.delivery.upload_links import UploadLinks
from filebot.delivery.worker import SETTLE_S, DeliveryWorker
from filebot.events.bus import EventBus
from filebot.files.access import Access
from filebot.files.intake import Intake
from filebot.files.quota import Limits, Quota
from filebot.files.removal import Removal
from filebot.files.sharing import Sharing
from filebot.files.slots import Slots
from filebot.files.transfers import Transfers
from filebot.model import BareJid
from filebot.ports import (
    BlobStore,
    Catalog,
    Histories,
    HttpTransfer,
    Inspector,
    Messenger,
    Rooms,
    Streams,
    UploadService,
)
from filebot.rooms.announcer import Announcer
from filebot.rooms.auto_archive import Archive
from filebot.rooms.claims import Claims
from filebot.rooms.destroyed_rooms import EndedRooms
from filebot.rooms.history_import import Backfill
from filebot.rooms.retention import Retention
from filebot.rooms.settings import RoomSettingsStore
from filebot.system.descriptors import MOST_SLOTS


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as the services need it."""

    store: BlobStore
    catalog: Catalog
    http: HttpTransfer
    inspector: Inspector
    uploads: UploadService
    messenger: Messenger
    rooms: Rooms
    histories: Histories
    streams: Streams
    clock: Callable[[], datetime]
    """The present, in UTC."""
    trusted_now: Callable[[], Awaitable[datetime | None]]
    """The time by which something may be removed because of its age; None while none is certain."""
    jid: BareJid
    """The bot's own address."""
    server: str
    """The domain of the bot's server, whose services it uses."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that work on files needs."""

    ports: Ports
    access: Access
    quota: Quota
    intake: Intake
    dispatch: DeliveryContext
    courier: DeliveryWorker
    doctor: Diagnostics
    claims: Claims
    removal: Removal
    sharing: Sharing
    book: RoomSettingsStore
    archive: Archive
    retention: Retention
    announcer: Announcer
    backfill: Backfill
    ended_rooms: EndedRooms
    parcels: DeliveryQueue
    experience: ClientHistory
    news: EventBus
    transfers: Transfers
    slots: Slots
    locks: KeyedLocks[asyncio.Lock]
    """By digest: held while a row on these bytes comes or goes."""


def build_services(
    ports: Ports,
    access: Access,
    limits: Limits,
    plugins: Collection[str],
    *,
    settle_s: float = SETTLE_S,
    slots: int = MOST_SLOTS,
) -> Services:
    """A desk on these ports. ``plugins`` has the names of those that are loaded; ``settle_s`` is for how
    long people who came online are left alone, ``slots`` how many files move at once in each direction.

    Courier and back-fill are to be opened and closed by the caller, the announcer to be closed; the book is
    to be opened before all.
    """
    locks = KeyedLocks(asyncio.Lock)
    book = RoomSettingsStore(ports.catalog, ports.rooms, plugins)
    quota = Quota(limits, ports.catalog, ports.store, book.max_bytes)
    intake = Intake(
        store=ports.store,
        catalog=ports.catalog,
        http=ports.http,
        inspector=ports.inspector,
        quota=quota,
        locks=locks,
        clock=ports.clock,
    )
    transfers, parcels = Transfers(time.monotonic), DeliveryQueue(ports.catalog)
    experience, news = ClientHistory(), EventBus()
    free = Slots(news, slots)
    dispatch = DeliveryContext(
        store=ports.store,
        catalog=ports.catalog,
        uploads=ports.uploads,
        streams=ports.streams,
        messenger=ports.messenger,
        delivery=_delivery(ports),
        transfers=transfers,
        slots=free,
        parcels=parcels,
        experience=experience,
        news=news,
        clock=ports.clock,
        server=ports.server,
    )
    courier = DeliveryWorker(
        dispatch,
        parcels,
        transfers,
        ports.catalog,
        access,
        news,
        ports.clock,
        book.lets_read,
        trusted_now=ports.trusted_now,
        settle_s=settle_s,
    )
    removal = Removal(ports.store, ports.catalog, parcels, locks)
    archive = Archive(ports.catalog, intake, access, removal, book, free)
    backfill = Backfill(ports.catalog, ports.histories, ports.rooms, archive, book, news, ports.clock)
    return Services(
        ports=ports,
        access=access,
        quota=quota,
        intake=intake,
        dispatch=dispatch,
        courier=courier,
        doctor=Diagnostics(dispatch, quota),
        removal=removal,
        sharing=Sharing(ports.store, ports.catalog, quota, locks, ports.clock),
        book=book,
        archive=archive,
        retention=Retention(ports.catalog, removal, book, ports.trusted_now),
        announcer=Announcer(news, book.announces),
        backfill=backfill,
        ended_rooms=EndedRooms(ports.catalog, removal, book, backfill),
        claims=Claims(ports.catalog, quota, ports.jid, time.monotonic),
        parcels=parcels,
        experience=experience,
        news=news,
        transfers=transfers,
        slots=free,
        locks=locks,
    )


def _delivery(ports: Ports) -> UploadLinks:
    return UploadLinks(
        store=ports.store,
        catalog=ports.catalog,
        http=ports.http,
        uploads=ports.uploads,
        clock=ports.clock,
    )
