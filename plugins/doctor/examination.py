"""Examination: routes by which files reach one person at present, tried without sending a file."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filebot.plugin import (
    Client,
    DeliveryAccess,
    FilebotError,
    Files,
    Method,
    PlannedRoute,
    ProxyState,
    StorageUsage,
    TransferError,
    Uploads,
    UserError,
)

log = logging.getLogger(__name__)

SIZES: Final = (1_000_000, 100_000_000, 5_000_000_000)
"""Sizes for which a route is looked for, in bytes: a picture, a video, a disk image."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate that was measured in-band."""

    client: Client
    bytes_per_s: float | None
    """None if the client answered nothing that could be measured."""


@dataclass(frozen=True, slots=True)
class Route:
    """Route of a file of some size to the person."""

    size_bytes: int
    step: PlannedRoute | None
    """The first that would be tried; None if there is none."""
    obstacle: FilebotError | None
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings of one examination."""

    uploads: Uploads | None
    """None: links cannot be given, as there is no upload service, or it does not answer."""
    addresses: tuple[str, ...]
    """Where clients reach the bot directly."""
    proxies: Mapping[str, ProxyState]
    """Proxies of the bot's server by JID, and whether each let the bot in."""
    clients: tuple[Client, ...]
    """The person's that the bot sees online."""
    rate: Rate | None
    """None if no client takes files in-band."""
    routes: tuple[Route, ...]
    max_file_bytes: int
    """The largest file that the bot keeps."""
    usage: StorageUsage
    """Files that the person has stored with the bot."""

    @property
    def reached_directly(self) -> bool:
        """Whether a connection beside the XMPP session can come about at all."""
        return bool(self.addresses) or any(state is not ProxyState.FAILS for state in self.proxies.values())


class ExaminationRunning(UserError):
    """The person's examination is running already."""

    template = "doctor/running"


class Examinations:
    """Examines one person as often as they ask, and never twice at once."""

    def __init__(self) -> None:
        self._under_way: set[str | None] = set()

    async def examine(self, person: str | None, delivery: DeliveryAccess, files: Files) -> Diagnosis:
        """Try everything; takes some seconds.

        Raises ExaminationRunning, NotAllowed or StorageError.
        """
        if person in self._under_way:
            raise ExaminationRunning
        self._under_way.add(person)
        try:
            async with delivery.slot():
                return await _examined(delivery, files)
        finally:
            self._under_way.discard(person)


async def _examined(delivery: DeliveryAccess, files: Files) -> Diagnosis:
    uploads, proxies, clients = await asyncio.gather(
        delivery.upload_service(), delivery.proxies(), delivery.clients()
    )
    rate = await _rate(delivery, clients)  # before the routes: they depend on it
    return Diagnosis(
        uploads=uploads,
        addresses=tuple(delivery.addresses()),
        proxies=proxies,
        clients=tuple(clients),
        rate=rate,
        routes=tuple([await _route(delivery, size) for size in SIZES]),
        max_file_bytes=files.max_file_bytes,
        usage=await files.usage(),
    )


async def _rate(delivery: DeliveryAccess, clients: Sequence[Client]) -> Rate | None:
    """Measure the rate to the likeliest client: the bottleneck is mostly the same for all."""
    client = next((each for each in clients if Method.IBB in each.methods), None)
    if client is None:
        return None
    try:
        return Rate(client, await delivery.measure(client))
    except TransferError as error:
        log.info("%s cannot be measured: %r", client.jid, error)
        return Rate(client, None)


async def _route(delivery: DeliveryAccess, size_bytes: int) -> Route:
    plan = await delivery.plan(size_bytes)
    if plan.steps:
        return Route(size_bytes, plan.steps[0], None)
    return Route(size_bytes, None, plan.no_stream or plan.no_link)
