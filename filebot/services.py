"""Composition of the services: built once, each of them given what it uses."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from filebot.concurrency.locks import KeyedLocks
from filebot.delivery.client_history import ClientHistory
from filebot.delivery.context import DeliveryContext
from filebot.delivery.queue import DeliveryQueue
from filebot.delivery.sending import Sending
from filebot.delivery.upload_links import UploadLinks
from filebot.delivery.worker import SETTLE_S, DeliveryWorker
from filebot.events.bus import EventBus
from filebot.files.access import Access, FileAccess
from filebot.files.intake import Drops, Intake
from filebot.files.quota import Quota, StorageLimits
from filebot.files.removal import Removal
from filebot.files.renaming import Renaming
from filebot.files.sharing import Sharing
from filebot.files.shown_files import ShownFiles
from filebot.files.transfers import Slots, Transfers
from filebot.files.unused_blobs import UnusedBlobs
from filebot.jobs.worker import JobWorker
from filebot.model import BareJid
from filebot.plugin.files import FileServices, OutgoingFiles, RoomFiles, StoredFiles
from filebot.plugin.rooms import RoomServices
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
    UrlSource,
)
from filebot.rooms.announcer import Announcer, wants_announcements
from filebot.rooms.auto_archive import AutoArchive
from filebot.rooms.claims import Claims
from filebot.rooms.destroyed_rooms import DestroyedRooms
from filebot.rooms.history_import import HistoryImporter
from filebot.rooms.membership import Membership
from filebot.rooms.people_online import PeopleOnline
from filebot.rooms.retention import Retention
from filebot.rooms.setting_types import RoomSettingTable
from filebot.rooms.settings import RoomSettingsStore
from filebot.system.descriptors import MOST_SLOTS


@dataclass(frozen=True, slots=True)
class Ports:
    """Adapters that the services use."""

    store: BlobStore
    catalog: Catalog
    http: HttpTransfer
    sources: UrlSource
    """Files behind URLs of all schemes."""
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
    """Services that were built, for the composition root to run and to hand out one by one."""

    ports: Ports
    files: FileServices
    """Given to each ``Files``."""
    rooms: RoomServices
    """Given to each ``RoomAccess``."""
    access: Access
    delivery: DeliveryContext
    worker: DeliveryWorker
    membership: Membership
    people_online: PeopleOnline
    room_settings: RoomSettingsStore
    archive: AutoArchive
    retention: Retention
    announcer: Announcer
    history_importer: HistoryImporter
    events: EventBus
    shown_files: ShownFiles
    jobs: JobWorker
    transfers: Transfers
    slots: Slots
    locks: KeyedLocks[asyncio.Lock]
    """By digest: held while a row on these bytes comes or goes."""


def build_services(
    ports: Ports,
    access: Access,
    limits: StorageLimits,
    settable: RoomSettingTable,
    *,
    settle_s: float = SETTLE_S,
    slots: int = MOST_SLOTS,
) -> Services:
    """Build all services on these ports.

    ``settable`` has the room settings that there are; ``settle_s`` is for how long people who came online
    are left alone, ``slots`` how many files move at once in each direction.

    The caller opens the room settings before all, opens and closes the history importer and the delivery
    worker, closes the announcer, the membership and ``people_online``, and runs and closes the jobs.
    """
    locks, events = KeyedLocks(asyncio.Lock), EventBus()
    room_settings = RoomSettingsStore(ports.catalog, ports.rooms, settable)
    quota = Quota(limits, ports.catalog, ports.store, room_settings.max_bytes)
    unused = UnusedBlobs(ports.store, ports.catalog, ports.catalog)
    intake = Intake(
        store=ports.store,
        entries=ports.catalog,
        unused=unused,
        sources=ports.sources,
        inspector=ports.inspector,
        quota=quota,
        locks=locks,
        clock=ports.clock,
        events=events,
    )
    transfers, queue = Transfers(time.monotonic), DeliveryQueue(ports.catalog)
    free_slots = Slots(events, slots)
    shown_files = ShownFiles()
    context = _delivery_context(ports, transfers, free_slots, queue, events, shown_files)
    worker = DeliveryWorker(
        context,
        queue,
        transfers,
        ports.catalog,
        access,
        events,
        ports.clock,
        room_settings.lets_read,
        trusted_now=ports.trusted_now,
        settle_s=settle_s,
    )
    removal = Removal(ports.catalog, unused, queue, locks, events)
    archive = AutoArchive(
        ports.catalog,
        ports.catalog,
        ports.catalog,
        intake,
        access,
        removal,
        room_settings,
        free_slots,
    )
    history_importer = HistoryImporter(
        ports.catalog, ports.histories, ports.rooms, archive, room_settings, events, ports.clock
    )
    destroyed_rooms = DestroyedRooms(ports.catalog, queue, removal, room_settings, history_importer, events)
    membership = Membership(ports.rooms, ports.catalog, room_settings, destroyed_rooms, events)
    announcer = Announcer(events, partial(wants_announcements, room_settings))
    claims = Claims(ports.catalog, quota, ports.jid, time.monotonic, events)
    retention = Retention(ports.catalog, removal, room_settings, ports.trusted_now)
    sharing = Sharing(ports.store, ports.catalog, quota, locks, ports.clock, events)

    files = FileServices(
        partial(FileAccess, access, ports.rooms, room_settings),
        StoredFiles(
            ports.catalog,
            Drops(intake, transfers, free_slots),
            Renaming(ports.catalog, ports.clock, events),
            removal,
            quota,
        ),
        OutgoingFiles(Sending(worker, sharing, quota), worker, transfers),
        RoomFiles(announcer, archive, claims, retention),
    )
    return Services(
        ports=ports,
        files=files,
        rooms=RoomServices(access, ports.rooms, membership, room_settings, quota, history_importer),
        access=access,
        delivery=context,
        worker=worker,
        membership=membership,
        people_online=PeopleOnline(events),
        room_settings=room_settings,
        archive=archive,
        retention=retention,
        announcer=announcer,
        history_importer=history_importer,
        events=events,
        shown_files=shown_files,
        jobs=JobWorker(ports.catalog.jobs, ports.clock),
        transfers=transfers,
        slots=free_slots,
        locks=locks,
    )


def _delivery_context(
    ports: Ports,
    transfers: Transfers,
    slots: Slots,
    queue: DeliveryQueue,
    events: EventBus,
    shown_files: ShownFiles,
) -> DeliveryContext:
    links = UploadLinks(
        store=ports.store,
        entries=ports.catalog,
        links=ports.catalog,
        http=ports.http,
        uploads=ports.uploads,
        clock=ports.clock,
    )
    return DeliveryContext(
        store=ports.store,
        entries=ports.catalog,
        uploads=ports.uploads,
        streams=ports.streams,
        messenger=ports.messenger,
        links=links,
        transfers=transfers,
        slots=slots,
        queue=queue,
        client_history=ClientHistory(),
        events=events,
        clock=ports.clock,
        shown_files=shown_files,
        server=ports.server,
    )
