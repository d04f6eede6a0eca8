"""Composition of the services: built once, each of them given what it uses."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from filebot.checks.acts import FileReceived
from filebot.checks.checks import LIMIT_S, Check, Checks
from filebot.concurrency.locks import KeyedLocks
from filebot.delivery.bounces import BOUNCE_S, Bounces
from filebot.delivery.client_history import ClientHistory
from filebot.delivery.context import DeliveryContext
from filebot.delivery.queue import DeliveryQueue
from filebot.delivery.sending import Sending
from filebot.delivery.upload_links import UploadLinks
from filebot.delivery.worker import SETTLE_S, DeliveryWorker
from filebot.events.bus import EventBus
from filebot.files.access import Access, FileAccess
from filebot.files.attaching import Attaching
from filebot.files.captions import Captions
from filebot.files.drops import Drops
from filebot.files.freed_blobs import FreedBlobs
from filebot.files.handover import Handover
from filebot.files.intake import Intake
from filebot.files.proven_occupants import ProvenOccupants
from filebot.files.quota import Quota, StorageLimits
from filebot.files.removal import Removal
from filebot.files.renaming import Renaming
from filebot.files.retractions import Retractions
from filebot.files.sharing import Sharing
from filebot.files.shown_files import ShownFiles
from filebot.files.transfers import Slots, Transfers
from filebot.files.unused_blobs import UnusedBlobs
from filebot.files.weights import Weights
from filebot.jobs.worker import JobWorker
from filebot.model import BareJid, SettingKey
from filebot.plugin.file_content import ContentServices
from filebot.plugin.file_services import FileServices, OutgoingFiles, RoomFiles, StoredFiles
from filebot.plugin.gathered_replies import BurstTimes, GatheredReplies
from filebot.plugin.room_files import RoomFileServices
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
from filebot.rooms.destroyed_rooms import DestroyedRooms
from filebot.rooms.membership import Membership
from filebot.rooms.people_online import PeopleOnline
from filebot.rooms.setting_types import RoomSettingTable
from filebot.rooms.settings import RoomSettingsStore
from filebot.rooms.unasked_files import UnaskedFiles
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
    room_files: RoomFileServices
    """Given to each ``FilesOfRoom``."""
    access: Access
    quota: Quota
    delivery: DeliveryContext
    worker: DeliveryWorker
    membership: Membership
    people_online: PeopleOnline
    room_settings: RoomSettingsStore
    proven_occupants: ProvenOccupants
    events: EventBus
    checks: Checks
    shown_files: ShownFiles
    retractions: Retractions
    gathered: GatheredReplies
    captions: Captions
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
    notes: Mapping[SettingKey, str],
    *,
    settle_s: float = SETTLE_S,
    bounce_s: float = BOUNCE_S,
    slots: int = MOST_SLOTS,
    checks_limit_s: float = LIMIT_S,
    scanners: Sequence[Check] = (),
    burst_times: BurstTimes | None = None,
) -> Services:
    """Build all services on these ports.

    ``settable`` has the room settings that there are, and ``notes`` what the bot's presence says in rooms
    where one that needs consent is on; ``settle_s`` is for how long people who came online are left alone,
    ``bounce_s`` the time in which a first message may come back, ``slots`` how many files move at once in
    each direction, ``checks_limit_s`` the time for all checks of one act, ``burst_times`` when replies to
    many files are said, and ``scanners`` are asked of each received file, behind the checks of the plugins.

    The caller opens the room settings and the shown files before all, and the membership when events are
    listened to; opens and closes the delivery worker; closes the membership and ``people_online``; and runs
    and closes the jobs.
    """
    locks, events = KeyedLocks(asyncio.Lock), EventBus()
    checks = Checks(checks_limit_s, {FileReceived: scanners} if scanners else {})
    room_settings = RoomSettingsStore(ports.catalog, ports.rooms, settable, notes)
    quota = Quota(limits, ports.catalog, ports.store, room_settings.max_bytes)
    unused = UnusedBlobs(ports.store, ports.catalog, ports.catalog)
    intake = Intake(
        store=ports.store,
        entries=ports.catalog,
        data=ports.catalog.plugin_data,
        unused=unused,
        sources=ports.sources,
        inspector=ports.inspector,
        quota=quota,
        locks=locks,
        clock=ports.clock,
        events=events,
        checks=checks,
    )
    transfers, queue = Transfers(time.monotonic), DeliveryQueue(ports.catalog)
    free_slots = Slots(events, slots)
    shown_files = ShownFiles(ports.catalog.file_messages)
    bounces = Bounces(ports.catalog.sent_files, ports.catalog, events, ports.clock, ports.server, bounce_s)
    context = _delivery_context(ports, transfers, free_slots, queue, events, shown_files, bounces)
    worker = DeliveryWorker(
        context,
        queue,
        transfers,
        ports.catalog,
        access,
        events,
        ports.clock,
        room_settings.lets_read,
        checks=checks,
        trusted_now=ports.trusted_now,
        settle_s=settle_s,
    )
    freed = FreedBlobs(ports.catalog.attachments, unused, locks)
    removal = Removal(ports.catalog, unused, freed, queue, locks, events, checks)
    content = ContentServices(
        ports.catalog,
        ports.store,
        intake,
        Attaching(ports.store, ports.catalog.attachments, unused, freed, quota, locks),
        ports.catalog.attachments,
        ports.catalog.plugin_data,
        Weights(ports.catalog, quota, locks),
    )
    retractions = Retractions(ports.catalog, removal, shown_files)
    unasked = UnaskedFiles(
        ports.catalog, ports.catalog, intake, retractions, access, removal, room_settings, free_slots
    )
    proven = ProvenOccupants(ports.catalog.occupant_proofs, ports.clock)
    destroyed_rooms = DestroyedRooms(
        ports.catalog, ports.catalog, queue, removal, room_settings, proven, events
    )
    membership = Membership(ports.rooms, ports.catalog, room_settings, destroyed_rooms, events)
    nick_of = partial(proven.nick, nick_of=ports.rooms.nick_of)
    sharing = Sharing(ports.store, ports.catalog, quota, locks, ports.clock, events, nick_of)

    files = FileServices(
        partial(FileAccess, access, ports.rooms, room_settings, proven=proven),
        content,
        StoredFiles(
            ports.catalog,
            Drops(intake, retractions, transfers, free_slots),
            Renaming(ports.catalog, ports.clock, events, checks),
            removal,
            quota,
            Handover(ports.catalog, quota, events),
            ports.catalog,
        ),
        OutgoingFiles(Sending(worker, sharing, quota, checks), worker, transfers),
        RoomFiles(unasked),
    )
    return Services(
        ports=ports,
        files=files,
        rooms=RoomServices(
            access, ports.rooms, membership, room_settings, quota, ports.histories, retractions, nick_of
        ),
        room_files=RoomFileServices(ports.catalog, removal, ports.trusted_now),
        access=access,
        quota=quota,
        delivery=context,
        worker=worker,
        membership=membership,
        people_online=PeopleOnline(events),
        room_settings=room_settings,
        proven_occupants=proven,
        events=events,
        checks=checks,
        shown_files=shown_files,
        retractions=retractions,
        gathered=GatheredReplies(shown_files, burst_times or BurstTimes()),
        captions=Captions(ports.catalog, shown_files, ports.clock, events),
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
    bounces: Bounces,
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
        bounces=bounces,
        server=ports.server,
    )
