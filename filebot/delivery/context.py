"""Delivery requests, and the context of delivery attempts: adapters, services and the plan of a route."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from filebot.delivery import route_planner
from filebot.delivery.bounces import Bounces
from filebot.delivery.client_history import ClientHistory
from filebot.delivery.queue import DeliveryQueue
from filebot.delivery.route_planner import Plan, RoutingInputs, Uploads
from filebot.delivery.upload_links import UploadLinks
from filebot.errors import NoUploadService
from filebot.events.bus import EventBus
from filebot.events.facts import FileDelivered
from filebot.files.shown_files import ShownFiles
from filebot.files.transfers import Slots, Transfers
from filebot.model import Address, AddressKind, BareJid, Client, Entry, Method, Sender
from filebot.ports import BlobStore, Entries, Messenger, Streams, UploadService


async def _ready() -> None:
    """Allow the delivery."""


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Request of somebody for a file to be sent."""

    sender: Sender
    """Person who asked, named in events."""
    language: str | None
    entry: Entry
    to: Address
    method: Method | None = None
    """Method that the person named."""
    ready: Callable[[], Awaitable[None]] = _ready
    """Awaited right before it goes, if it is still there; raises UserError if it must not go any more."""

    @property
    def asker(self) -> BareJid:
        """JID of the asker, if it is verified: streams go to nobody else."""
        return self.sender.jid or ""

    @property
    def recipient(self) -> BareJid:
        """The person, for addresses that are one's."""
        return self.to.jid.partition("/")[0]

    def sent(self, method: Method) -> FileDelivered:
        """Return the event that says that it is done."""
        asked = self.method is not None
        return FileDelivered(self.sender, self.language, self.entry, self.to, method, asked=asked)


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Adapters and services that an attempt works with, and the plans that they allow."""

    store: BlobStore
    entries: Entries
    uploads: UploadService
    streams: Streams
    messenger: Messenger
    links: UploadLinks
    transfers: Transfers
    slots: Slots
    queue: DeliveryQueue
    client_history: ClientHistory
    events: EventBus
    clock: Callable[[], datetime]
    shown_files: ShownFiles
    bounces: Bounces
    server: str
    """The domain of the bot's server."""

    async def plan(
        self,
        size_bytes: int,
        to: Address,
        method: Method | None = None,
        entry: Entry | None = None,
        *,
        streams: bool = True,
    ) -> Plan:
        """Return the routes by which a file of this size would go there now; nothing is sent.

        An ``entry`` may have a link already. Without ``streams`` nobody's clients are asked, which may take
        seconds.
        """
        uploads = await self.upload_service(size_bytes)
        too_large = uploads is not None and (
            uploads.too_large or (uploads.limit_bytes or size_bytes) < size_bytes
        )
        blocked = uploads is None or too_large or uploads.full_until is not None
        clients = await self.clients(to) if streams else ()
        facts = RoutingInputs(
            size_bytes,
            to.kind,
            uploads,
            has_link=blocked and entry is not None and await self.links.has_link(entry),
            clients=tuple(clients),
            is_online=streams and (bool(clients) or await self._is_online(to)),
            asked=method,
            asking_client=to.jid,
        )
        return route_planner.plan(facts, self.client_history, self.clock())

    async def clients(self, to: Address) -> Sequence[Client]:
        """Return the clients behind an address; none behind those of rooms."""
        if to.kind is not AddressKind.CHAT:
            return ()
        return await self.streams.clients(to.jid.partition("/")[0])

    async def _is_online(self, to: Address) -> bool:
        person = to.jid.partition("/")[0]
        return to.kind is AddressKind.CHAT and bool(await self.streams.present(person))

    async def upload_service(self, size_bytes: int | None = None) -> Uploads | None:
        """Return its state for a file of this size, or any; None if there is none, or it is silent."""
        refusals = self.links.refusals
        too_large = size_bytes is not None and refusals.is_too_large(size_bytes)
        try:
            return Uploads(await self.uploads.size_limit(), refusals.full_until(size_bytes), too_large)
        except NoUploadService:
            return None
