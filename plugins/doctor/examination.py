"""Diagnostics: routes by which files reach one person at present, tried without sending a file."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filebot.delivery.context import DeliveryContext
from filebot.delivery.route_planner import PlannedRoute, Uploads
from filebot.errors import DiagnosticsRunning, FilebotError, TransferError
from filebot.files.quota import Quota
from filebot.files.transfers import Direction
from filebot.model import Address, BareJid, Client, Method, ProxyState, Sender, StorageUsage

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


class Diagnostics:
    """Examines one person at a time as often as they ask, and never twice at once."""

    def __init__(self, context: DeliveryContext, quota: Quota) -> None:
        self._context = context
        self._quota = quota
        self._under_way: set[BareJid] = set()

    async def examine(self, person: BareJid, to: Address | None = None) -> Diagnosis:
        """Try everything; takes some seconds.

        ``to`` is the person's client, or the person if None. Raises DiagnosticsRunning or StorageError.
        """
        if person in self._under_way:
            raise DiagnosticsRunning
        self._under_way.add(person)
        try:
            return await self._examined(person, to or Address(person))
        finally:
            self._under_way.discard(person)

    async def _examined(self, person: BareJid, to: Address) -> Diagnosis:
        async with self._context.slots.held(Direction.FROM_BOT, Sender(Address(person), person)):
            return await self._tried(person, to)

    async def _tried(self, person: BareJid, to: Address) -> Diagnosis:
        streams = self._context.streams
        uploads, proxies, clients = await asyncio.gather(
            self._context.upload_service(), streams.proxies(), streams.present(person)
        )
        rate = await self._rate(clients)  # before the routes: they depend on it
        return Diagnosis(
            uploads=uploads,
            addresses=tuple(streams.addresses()),
            proxies=proxies,
            clients=tuple(clients),
            rate=rate,
            routes=tuple([await self._route(size, to) for size in SIZES]),
            max_file_bytes=self._quota.max_file_bytes,
            usage=await self._quota.usage(person),
        )

    async def _rate(self, clients: Sequence[Client]) -> Rate | None:
        """Measure the rate to the likeliest client: the bottleneck is mostly the same for all."""
        client = next((each for each in clients if Method.IBB in each.methods), None)
        if client is None:
            return None
        try:
            bytes_per_s = await self._context.streams.in_band_rate(client.jid)
        except TransferError as error:
            log.info("%s cannot be measured: %r", client.jid, error)
            return Rate(client, None)
        self._context.client_history.note_rate(client, bytes_per_s, self._context.clock())
        return Rate(client, bytes_per_s)

    async def _route(self, size_bytes: int, to: Address) -> Route:
        plan = await self._context.plan(size_bytes, to)
        if plan.steps:
            return Route(size_bytes, plan.steps[0], None)
        return Route(size_bytes, None, plan.no_stream or plan.no_link)
