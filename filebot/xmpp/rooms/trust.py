"""Which room services are believed about the real JIDs of people in their rooms.

Believed are the room services of the bot's own server, and those with a room that the operator or an admin
of the bot named. An invitation may come from any service, and such a service may claim anything. A gateway
to another network is never believed, whoever runs it: people there choose what it shows as their JIDs.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from filebot.model import BareJid
from filebot.xmpp.connection.disco import items, kinds_of_rooms
from filebot.xmpp.connection.stream import Stream

DESCRIPTION_LIMIT_S: Final = 5.0

_TEXT: Final = "text"


class RoomTrust:
    """Judge of room services, by what they and the bot's server say of themselves."""

    def __init__(self, stream: Stream, named: Callable[[], Iterable[BareJid]]) -> None:
        """``named`` returns the rooms that the operator or an admin named."""
        self._stream = stream
        self._named = named
        self._own_services: frozenset[str] = frozenset()
        self._gateways: set[str] = set()

    def services(self) -> frozenset[str]:
        """Return the services that are believed now."""
        named = {service_of(room) for room in self._named()}
        # An account is no room, even if somebody named it and it behaves like one.
        return (self._own_services | named) - self._gateways - {self._stream.server_domain}

    def believes(self, room: BareJid) -> bool:
        """Return whether the real JIDs that the room's service names count."""
        return service_of(room) in self.services()

    async def find_own_services(self) -> None:
        """Look for the room services that the bot's server lists and that are below it.

        A list alone does not tell who runs them: operators point to services of others in it. A name alone
        does not either: in a large domain many people have a subdomain of their own.
        """
        server = self._stream.server_domain
        listed = await items(self._stream, server, DESCRIPTION_LIMIT_S)
        below = [each.lower() for each in listed if each.lower().endswith(f".{server}")]
        kinds = await asyncio.gather(*map(self.kinds_of_rooms, below))
        self._own_services |= {service for service, kind in zip(below, kinds, strict=True) if _TEXT in kind}

    async def inspect(self, room: BareJid) -> None:
        """Ask about the service of a room, unless it is known as one of the bot's server."""
        if not self._own_services:
            await self.find_own_services()
        if service_of(room) not in self._own_services:
            await self.kinds_of_rooms(service_of(room))

    async def kinds_of_rooms(self, service: str) -> frozenset[str]:
        """Ask as :func:`~filebot.xmpp.connection.disco.kinds_of_rooms`; gateways are remembered.

        COMPAT(biboumi, 9): the JID that it shows of somebody on IRC is their user name and host there, and
        both can be chosen so that they are an admin's address.
        """
        kinds = await kinds_of_rooms(self._stream, service, DESCRIPTION_LIMIT_S)
        if kinds:
            (self._gateways.discard if _TEXT in kinds else self._gateways.add)(service)
        return kinds


def service_of(room: BareJid) -> str:
    """Return the domain of a room."""
    return room.partition("@")[2]
