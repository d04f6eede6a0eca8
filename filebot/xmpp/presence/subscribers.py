"""Subscribers to an external component's presence (RFC 6121 section 4); an account's server keeps its own.

People subscribe to any address of the component's domain, and each is kept with the person. When the
component is back, all of them are told, since their servers ask for its presence only when they log in; and
they are asked for theirs (section 4.3), or the component would know nobody's clients until these come anew.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final

from filebot.errors import StorageError
from filebot.model import BareJid
from filebot.ports import Subscriptions
from filebot.xmpp.connection import own_addresses
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

MOST_SUBSCRIBERS: Final = 10_000
MOST_ADDRESSES: Final = 16
"""Addresses of the component in one person's contacts. Beyond both bounds the oldest makes way: it is
answered when it asks, and only not told of a restart."""
AT_ONCE: Final = 50
PAUSE_S: Final = 0.1


class Subscribers:
    """The subscribers of a component; empty for an account."""

    def __init__(
        self, stream: Stream, kept: Subscriptions | None, status: str, may_subscribe: Callable[[str], bool]
    ) -> None:
        self._stream = stream
        self._kept = kept
        self._status = status
        self._may_subscribe = may_subscribe
        self._known: dict[BareJid, dict[BareJid, None]] = {}
        self._is_read = False
        self._writing = asyncio.Lock()

    def known_as(self, person: BareJid) -> BareJid:
        """By which address they know the component, the last one they chose; empty if that is not known."""
        return next(reversed(self._known.get(person, {})), "")

    async def add(self, person: BareJid, own: BareJid) -> None:
        """They are to see the bot under this address of it, also after a restart."""
        async with self._writing:
            await self._read()
            addresses = self._known.setdefault(person, {})
            if own in addresses:
                return
            addresses[own] = None
            await self._write("keep", person, own)
            if len(addresses) > MOST_ADDRESSES:
                await self._drop(person, next(iter(addresses)))
            if len(self._known) > MOST_SUBSCRIBERS:
                oldest = next(iter(self._known))
                for each in list(self._known[oldest]):
                    await self._drop(oldest, each)

    async def remove(self, person: BareJid, own: BareJid) -> None:
        """They do not want to see it any more, or may not."""
        async with self._writing:
            await self._read()
            if own in self._known.get(person, {}):
                await self._drop(person, own)

    async def greet(self) -> None:
        """Be seen by all of them, and see who is online. Those who are not served any more are told so."""
        async with self._writing:
            await self._read()
        for number, (person, own) in enumerate(list(self._pairs())):
            if self._may_subscribe(person):
                self.show(person, own)
                self._send(person, own, "probe")
            else:
                self._send(person, own, "unsubscribed")
                await self.remove(person, own)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(PAUSE_S)  # others want to be heard as well

    def show(self, person: BareJid, own: BareJid) -> None:
        """Let them see that the bot is there."""
        sender = own_addresses.full(self._stream, own)
        self._stream.make_presence(pto=person, pfrom=sender, pstatus=self._status).send()

    def say_goodbye(self, words: str) -> None:
        """Let all of them see that the bot goes."""
        for person, own in self._pairs():
            sender = own_addresses.full(self._stream, own)
            self._stream.make_presence("unavailable", words, pto=person, pfrom=sender).send()

    def _pairs(self) -> Iterator[tuple[BareJid, BareJid]]:
        return ((person, own) for person, addresses in self._known.items() for own in addresses)

    def _send(self, person: BareJid, own: BareJid, kind: str) -> None:
        # Section 3.1.1: between bare JIDs.
        self._stream.make_presence(pshow=kind, pto=person, pfrom=own).send()

    async def _read(self) -> None:
        if self._kept is None or self._is_read:
            return
        try:
            for person, own in await self._kept.subscriptions():
                self._known.setdefault(person, {})[own] = None
            self._is_read = True
        except StorageError as error:
            log.warning("it is not known who sees the bot: %s", error)

    async def _drop(self, person: BareJid, own: BareJid) -> None:
        del self._known[person][own]
        if not self._known[person]:
            del self._known[person]
        await self._write("forget", person, own)

    async def _write(self, what: str, person: BareJid, own: BareJid) -> None:
        if self._kept is None:
            return
        change = self._kept.keep_subscription if what == "keep" else self._kept.forget_subscription
        try:
            await change(person, own)
        except StorageError as error:
            log.warning("who sees the bot could not be saved: %s", error)
