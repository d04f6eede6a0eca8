"""Stream hosts (XEP-0065) that did not work lately, and so are neither named nor tried for a while.

One that does not answer the bot itself is of no use for anybody. One that did not lead to a person may
still lead to others: it is behind their network's firewall, relays in one direction only, or refused
because of this person.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

from cachetools import TTLCache

from filebot.errors import StreamHostRefused, TransferError, TransferTimeout
from filebot.ports import Data
from filebot.protocol.bytestreams import StreamHost

log = logging.getLogger(__name__)

AVOIDED_FOR_S: Final = 600.0
MOST: Final = 1_000
"""The oldest is forgotten; it is then tried again too early."""


class AvoidedHosts:
    """Such hosts, for all sessions; by address and port, since several JIDs may stand for one."""

    def __init__(self) -> None:
        self._hosts: TTLCache[tuple[str, str, int], None] = TTLCache(MOST, AVOIDED_FOR_S, _now)

    def avoid(self, hosts: Iterable[StreamHost], peer: str = "") -> None:
        """Leave them alone for a while: for streams with this person, or for all if none is named."""
        for host in hosts:
            key = (_person(peer), host.host, host.port)
            log.info("stream host %s is set aside for %s", host.jid, key[0] or "everybody")
            self._hosts[key] = None

    def failed(self, hosts: Iterable[StreamHost], error: TransferError, peer: str) -> None:
        """Leave alone what the bot itself could not use, and for whom.

        That a proxy refuses may be the peer's doing, who said that they are connected to it and are not.
        """
        self.avoid(hosts, peer if isinstance(error, StreamHostRefused) else "")

    def is_avoided(self, host: StreamHost, peer: str = "") -> bool:
        """Whether it is left alone now, for streams with this person."""
        return any((who, host.host, host.port) in self._hosts for who in ("", _person(peer)))

    async def unless_stalled(
        self, chunks: AsyncGenerator[Data, None], host: StreamHost, peer: str
    ) -> AsyncGenerator[Data, None]:
        """Give on the bytes that come by this host, which is left alone if they stop coming."""
        async with aclosing(chunks):
            try:
                async for chunk in chunks:
                    yield chunk
            except TransferTimeout:
                self.avoid([host], peer)
                raise

    def forget(self) -> None:
        """Try all of them again."""
        self._hosts.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _person(jid: str) -> str:
    return jid.partition("/")[0]
