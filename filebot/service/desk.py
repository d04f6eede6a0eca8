"""All services put together on a set of ports."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from filebot.ports import (
    BlobStore,
    Catalog,
    HttpTransfer,
    Inspector,
    Messenger,
    Rooms,
    Streams,
    UploadService,
)
from filebot.service.access import Access
from filebot.service.delivery import Delivery
from filebot.service.intake import Intake
from filebot.service.locks import Keyed
from filebot.service.quota import Limits, Quota
from filebot.service.transfers import Transfers


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
    streams: Streams
    clock: Callable[[], datetime]
    """The present, in UTC."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that work on files needs."""

    ports: Ports
    access: Access
    quota: Quota
    intake: Intake
    delivery: Delivery
    transfers: Transfers
    locks: Keyed[asyncio.Lock]
    """By digest: held while a row on these bytes comes or goes."""


def furnished(ports: Ports, access: Access, limits: Limits) -> Desk:
    """A desk on these ports."""
    locks = Keyed(asyncio.Lock)
    quota = Quota(limits, ports.catalog, ports.store)
    intake = Intake(
        store=ports.store,
        catalog=ports.catalog,
        http=ports.http,
        inspector=ports.inspector,
        quota=quota,
        locks=locks,
        clock=ports.clock,
    )
    delivery = Delivery(
        store=ports.store,
        catalog=ports.catalog,
        http=ports.http,
        uploads=ports.uploads,
        clock=ports.clock,
    )
    return Desk(ports, access, quota, intake, delivery, Transfers(time.monotonic), locks)
