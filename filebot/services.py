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
from filebot.files.quota import Quota, StorageLimits
from filebot.files.removal import Removal
from filebot.files.renaming import Renaming
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
from filebot.rooms.auto_archive import AutoArchive
from filebot.rooms.claims import Claims
from filebot.rooms.destroyed_rooms import DestroyedRooms
from filebot.rooms.history_import import HistoryImporter
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
    context: DeliveryContext
    worker: DeliveryWorker
    diagnostics: Diagnostics
    claims: Claims
    removal: Removal
    renaming: Renaming
    sharing: Sharing
    room_settings: RoomSettingsStore
    archive: AutoArchive
    retention: Retention
    announcer: Announcer
    history_importer: HistoryImporter
    destroyed_rooms: DestroyedRooms
    parcels: DeliveryQueue
    client_history: ClientHistory
    events: EventBus
    transfers: Transfers
    slots: Slots
    locks: KeyedLocks[asyncio.Lock]
    """By digest: held while a row on these bytes comes or goes."""


def build_services(
    ports: Ports,
    access: Access,
    limits: StorageLimits,
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
    locks, events = KeyedLocks(asyncio.Lock), EventBus()
    room_settings = RoomSettingsStore(ports.catalog, ports.rooms, plugins)
    quota = Quota(limits, ports.catalog, ports.store, room_settings.max_bytes)
    intake = Intake(
        store=ports.store,
        catalog=ports.catalog,
        http=ports.http,
        inspector=ports.inspector,
        quota=quota,
        locks=locks,
        clock=ports.clock,
        events=events,
    )
    transfers, parcels = Transfers(time.monotonic), DeliveryQueue(ports.catalog)
    client_history = ClientHistory()
    free = Slots(events, slots)
    context = DeliveryContext(
        store=ports.store,
        catalog=ports.catalog,
        uploads=ports.uploads,
        streams=ports.streams,
        messenger=ports.messenger,
        delivery=_delivery(ports),
        transfers=transfers,
        slots=free,
        parcels=parcels,
        client_history=client_history,
        events=events,
        clock=ports.clock,
        server=ports.server,
    )
    worker = DeliveryWorker(
        context,
        parcels,
        transfers,
        ports.catalog,
        access,
        events,
        ports.clock,
        room_settings.lets_read,
        trusted_now=ports.trusted_now,
        settle_s=settle_s,
    )
    removal = Removal(ports.store, ports.catalog, parcels, locks, events)
    archive = AutoArchive(ports.catalog, intake, access, removal, room_settings, free)
    history_importer = HistoryImporter(
        ports.catalog, ports.histories, ports.rooms, archive, room_settings, events, ports.clock
    )
    return Services(
        ports=ports,
        access=access,
        quota=quota,
        intake=intake,
        context=context,
        worker=worker,
        diagnostics=Diagnostics(context, quota),
        removal=removal,
        renaming=Renaming(ports.catalog, ports.clock, events),
        sharing=Sharing(ports.store, ports.catalog, quota, locks, ports.clock, events),
        room_settings=room_settings,
        archive=archive,
        retention=Retention(ports.catalog, removal, room_settings, ports.trusted_now),
        announcer=Announcer(events, room_settings.announces),
        history_importer=history_importer,
        destroyed_rooms=DestroyedRooms(
            ports.catalog, parcels, removal, room_settings, history_importer, events
        ),
        claims=Claims(ports.catalog, quota, ports.jid, time.monotonic, events),
        parcels=parcels,
        client_history=client_history,
        events=events,
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
