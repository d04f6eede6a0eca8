"""Routes of files to the asker, for plugins: asked for and tried without sending a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from filebot.delivery.context import DeliveryContext
from filebot.delivery.route_planner import Plan, Uploads
from filebot.files.access import FileAccess
from filebot.files.transfers import Direction
from filebot.model import Address, AddressKind, BareJid, Client, ProxyState, Sender


class DeliveryAccess:
    """Routes of files to one person, and probes of them."""

    def __init__(self, context: DeliveryContext, access: FileAccess, sender: Sender) -> None:
        self._context = context
        self._access = access
        self._address = sender.address

    async def upload_service(self) -> Uploads | None:
        """Return the state of the upload service; None if there is none, or it does not answer."""
        return await self._context.upload_service()

    def addresses(self) -> Sequence[str]:
        """Return the hosts at which clients can reach the bot directly, as the operator named them."""
        return self._context.streams.addresses()

    async def proxies(self) -> Mapping[str, ProxyState]:
        """Test the SOCKS5 proxies of the bot's server; return the state of each by JID.

        Takes some seconds at most.
        """
        return await self._context.streams.proxies()

    async def clients(self) -> Sequence[Client]:
        """Return all clients of the asker that the bot sees online, the likeliest in use first.

        Raises NotAllowed.
        """
        return await self._context.streams.present(self._person)

    async def measure(self, client: Client) -> float:
        """Measure the speed of in-band bytes to a client for a few seconds; return bytes per second.

        Plans go by it from then on. Raises TransferError.
        """
        bytes_per_s = await self._context.streams.in_band_rate(client.jid)
        self._context.client_history.note_rate(client, bytes_per_s, self._context.clock())
        return bytes_per_s

    async def plan(self, size_bytes: int) -> Plan:
        """Return the routes by which a file of this size would go to the asker now, the first one first.

        Raises NotAllowed.
        """
        client = self._address if self._address.kind is AddressKind.CHAT else Address(self._person)
        return await self._context.plan(size_bytes, client)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the bot's places for outgoing files, shared fairly between people; for probes.

        Waits for one. Raises NotAllowed.
        """
        sender = Sender(Address(self._person), self._person)
        async with self._context.slots.held(Direction.FROM_BOT, sender):
            yield

    @property
    def _person(self) -> BareJid:
        return self._access.own()
