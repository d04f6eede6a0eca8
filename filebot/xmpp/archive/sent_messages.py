"""Messages of the bot's that its server has taken, as archives show them (XEP-0313).

When a session is lost and the server does not say how much of it it had heard (XEP-0198 section 5), nothing
else tells whether the last messages arrived: to repeat them all would show some of them twice, to repeat
none would lose some.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

from cachetools import LRUCache
from slixmpp.exceptions import XMPPError
from slixmpp.stanza import Message

from filebot.errors import PeerProtocolError
from filebot.model import BareJid
from filebot.protocol.xml import named
from filebot.xmpp.archive.mam_query import MessageArchive
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.error_conditions import cause
from filebot.xmpp.xml import STANZA_IDS

log = logging.getLogger(__name__)

MOST_IDS: Final = 2_000
"""Ids of messages that anybody said in rooms lately."""
LONGEST_ID: Final = 100
MOST_PAGES: Final = 4
"""Pages of the newest messages of an archive that are read."""
ARCHIVES_AT_ONCE: Final = 8
LIMIT_S: Final = 20.0
"""For one archive."""


class SentMessages:
    """Looks for messages in the bot's own archive, or in that of the room that they went to."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._at_once = asyncio.Semaphore(ARCHIVES_AT_ONCE)
        self._told_in_rooms: LRUCache[str, None] = LRUCache(MOST_IDS)

    def told_in_room(self, message_id: str) -> None:
        """Note the id of a message that a room has told.

        A room tells what is said in it to everybody, also to who said it (XEP-0045 section 7.4): until then
        nobody else knows a message's id.
        """
        if 0 < len(message_id) <= LONGEST_ID:
            self._told_in_rooms[message_id] = None

    async def lost(self, messages: Sequence[Message]) -> list[Message]:
        """Return those that the server seems not to have taken, and all of which no archive tells."""
        messages = [each for each in messages if str(each["id"]) not in self._told_in_rooms]
        wanted: dict[BareJid, set[str]] = {}
        for each in messages:
            wanted.setdefault(self._archive_of(each), set()).add(str(each["id"]))
        found = await asyncio.gather(*(self._found(archive, ids) for archive, ids in wanted.items()))
        told = dict(zip(wanted, found, strict=True))
        return [each for each in messages if str(each["id"]) not in told[self._archive_of(each)]]

    def _archive_of(self, message: Message) -> BareJid:
        to_room = message["type"] == "groupchat"
        return str(message["to"].bare if to_room else self._stream.boundjid.bare)

    async def _found(self, jid: BareJid, ids: set[str]) -> set[str]:
        """Return the ids that an archive tells in time; the messages of all others wait for this."""
        found = set[str]()
        async with self._at_once:
            try:
                async with asyncio.timeout(LIMIT_S):
                    await self._look_through(jid, ids, found)
            except (XMPPError, PeerProtocolError, TimeoutError) as error:
                log.info("the archive of %s does not tell what arrived: %s", jid, cause(error))
        return found

    async def _look_through(self, jid: BareJid, ids: set[str], found: set[str]) -> None:
        archive, before = MessageArchive(self._stream, jid), ""
        for _ in range(MOST_PAGES):
            page = await archive.latest(before)
            found |= ids & {name for each in page for name in _names(each.message)}
            if found == ids or not page:
                break
            before = page[0].id


def _names(message: Element) -> set[str]:
    return {
        message.get("id", ""),
        *(each.get("id", "") for each in named(message, STANZA_IDS, "origin-id")),
    }
