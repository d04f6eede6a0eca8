"""Bounces: messages with files to others that come back (RFC 6120 section 8.3), told to whoever sent them.

A bounce of the bot's own server comes within milliseconds: the first message to each address is given a
moment, so that a file to nobody is never told as sent. Later ones are told when they come, for a day, also
after a restart. An address that does not answer at all is not known to have failed.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache

from filebot.errors import Bounced, StorageError
from filebot.events.bus import EventBus
from filebot.events.facts import DeliveryAbandoned
from filebot.model import Address, AddressKind, BareJid, Bounce, Entry, Sender, SentFile
from filebot.ports import Entries, SentFiles

log = logging.getLogger(__name__)

BOUNCE_S: Final = 0.5
"""Moment for a first bounce."""
MATCHED_FOR: Final = timedelta(days=1)
"""Servers that cannot reach another give up within hours."""
GUESSED_FOR: Final = timedelta(minutes=2)
"""How long a bounce that names no message is taken for that of the last file to its address."""
MOST_REACHED: Final = 1000
"""Addresses that are remembered as reached."""


class Bounces:
    """Knows which files went by which messages, and hears of those that came back."""

    def __init__(
        self,
        sent_files: SentFiles,
        entries: Entries,
        events: EventBus,
        clock: Callable[[], datetime],
        server: str,
        wait_s: float = BOUNCE_S,
    ) -> None:
        """``server`` is the domain of the bot's server."""
        self._sent_files = sent_files
        self._entries = entries
        self._events = events
        self._clock = clock
        self._server = server
        self._wait_s = wait_s
        self._waiting: dict[str, tuple[SentFile, asyncio.Future[str]]] = {}
        """Messages that are given their moment, by id."""
        self._reached: LRUCache[BareJid, None] = LRUCache(MOST_REACHED)

    async def sent(
        self, by: Sender, language: str | None, entry: Entry, to: Address, message_id: str
    ) -> None:
        """Note a message that has just gone, and wait a moment if it is the first to its address.

        Call it with no await after the sending. Raises Bounced if it comes back in that moment.
        """
        elsewhere = to.conversation != by.address.conversation
        if by.jid is None or not message_id or not elsewhere or to.kind is AddressKind.ROOM_PRIVATE:
            return
        sent = SentFile(
            message_id,
            entry.id,
            by.jid,
            to.conversation.jid,
            to.kind is AddressKind.ROOM,
            language,
            self._clock(),
        )
        came_back = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = (sent, came_back)
        try:
            await self._keep(sent)
            if sent.recipient not in self._reached and not came_back.done():
                await asyncio.wait((came_back,), timeout=self._wait_s)
        finally:
            del self._waiting[message_id]
        if came_back.done():
            await self._forget(message_id)
            raise _error(sent, entry, came_back.result())
        self._reached[sent.recipient] = None

    async def bounced(self, bounce: Bounce) -> None:
        """Take a message of the bot that came back."""
        for message_id in bounce.ids:
            waiting = self._waiting.get(message_id)
            if waiting is not None and self._may_say(bounce, waiting[0]):
                if not waiting[1].done():
                    waiting[1].set_result(bounce.condition)
                return
        try:
            sent = await self._found(bounce)
            entry = None if sent is None else await self._entries.entry(sent.entry_id)
        except StorageError:
            log.exception("it is not known which file came back from %s", bounce.sender)
            return
        if sent is not None and entry is not None:
            self._reached.pop(sent.recipient, None)
            kind = AddressKind.ROOM if sent.is_room else AddressKind.CHAT
            asker, to = Sender(Address(sent.asker), sent.asker), Address(sent.recipient, kind)
            error = _error(sent, entry, bounce.condition)
            await self._events.tell(DeliveryAbandoned(asker, sent.language, entry, to, error))

    async def _found(self, bounce: Bounce) -> SentFile | None:
        now = self._clock()
        for message_id in bounce.ids:
            sent = await self._sent_files.find(message_id)
            if sent is not None and now - sent.sent_at <= MATCHED_FOR and self._may_say(bounce, sent):
                return await self._sent_files.take(message_id)
        if not bounce.may_be_any:
            return None
        # COMPAT(gateways and old servers): their errors name another id, and have nothing of the message.
        sent = await self._sent_files.latest(bounce.sender, now - GUESSED_FOR)
        return None if sent is None else await self._sent_files.take(sent.message_id)

    def _may_say(self, bounce: Bounce, sent: SentFile) -> bool:
        """Whether whoever sent the error can know: nobody else speaks for an address."""
        domain = sent.recipient.rpartition("@")[2]
        return bounce.sender in {sent.recipient, domain, self._server}

    async def _keep(self, sent: SentFile) -> None:
        try:
            await self._sent_files.add(sent)
        except StorageError as error:
            log.warning("if a file to %s comes back, nobody is told: %s", sent.recipient, error)

    async def _forget(self, message_id: str) -> None:
        try:
            await self._sent_files.take(message_id)
        except StorageError as error:
            log.warning("a message that came back is still remembered: %s", error)


def _error(sent: SentFile, entry: Entry, condition: str) -> Bounced:
    return Bounced(entry.name, target=sent.recipient, is_room=sent.is_room, condition=condition)
