"""Earlier posts in rooms: the ``Histories`` port over their archives (XEP-0313)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqTimeout, XMPPError

from filebot.concurrency.bounded_store import weight
from filebot.errors import NoHistory, PeerGone, PeerProtocolError, TransferTimeout
from filebot.model import (
    LONGEST_TEXT,
    BareJid,
    HistoryPage,
    IncomingMessage,
    MessageIds,
    Retraction,
    Sender,
    left_of,
)
from filebot.protocol.file_sharing import AttachmentJoiner, read
from filebot.protocol.message_references import is_tombstone, own_ids, refers
from filebot.protocol.xml import named
from filebot.xmpp.archive.mam_query import LIMIT_S, Archived, ArchivePage, MessageArchive
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.messages.references import moderation, reference, room_tombstone
from filebot.xmpp.xml import STANZA_IDS

log = logging.getLogger(__name__)

PAGES_AT_ONCE: Final = 4
"""Pages of all rooms together: one of large messages is some megabytes."""
MOST_PAGE_BYTES: Final = 1024 * 1024
"""Memory for the posts of one page; a room keeps its page until its files are there."""


class RoomHistories:
    """Reads archives of rooms page by page."""

    def __init__(
        self,
        stream: Stream,
        author: Callable[[BareJid, Element], Sender | None],
        is_ours: Callable[[BareJid, Element], bool],
        joined: Callable[[], frozenset[BareJid]],
    ) -> None:
        """``author`` tells who wrote a message, if anything that the room vouches for tells it; ``is_ours``
        whether the bot did; ``joined`` in which rooms it is.
        """
        self._joined = joined
        self._stream = stream
        self._author = author
        self._is_ours = is_ours
        self._at_once = asyncio.Semaphore(PAGES_AT_ONCE)

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        """See the port."""
        try:
            async with self._at_once:
                page = await MessageArchive(self._stream, room).page(after, since)
        except IqTimeout as error:
            raise TransferTimeout(idle_s=LIMIT_S) from error
        except XMPPError as error:
            if error.condition == "item-not-found" and after:
                raise NoHistory(room, reason="lost") from error
            if room not in self._joined():
                raise PeerGone(f"put out of the room: {error.condition}") from error
            raise NoHistory(room, reason="closed") from error
        except PeerProtocolError as error:
            raise NoHistory(room, reason="closed") from error
        if room not in self._joined():
            # Authors are known by the list of occupants alone: this page would be one without any.
            raise PeerGone("put out of the room meanwhile")
        return self._kept(room, page)

    def _kept(self, room: BareJid, page: ArchivePage) -> HistoryPage:
        """A page as it is kept; of large messages only the first, and the next page begins behind them."""
        joiner, posts, size = AttachmentJoiner(), list[IncomingMessage](), 0
        retractions = list[Retraction]()
        for count, each in enumerate(page.messages):
            retraction = self._retraction(room, each)
            if retraction is not None:
                retractions.append(retraction)
                continue
            post = self._post(room, each, joiner)
            if post is None:
                continue
            size += weight(post)
            if size > MOST_PAGE_BYTES and posts:
                last = page.messages[count - 1]
                return HistoryPage(
                    left_of(posts, retractions), count, last.id, False, last.at, tuple(retractions)
                )
            posts.append(post)
        at = page.messages[-1].at if page.messages else None
        kept = left_of(posts, retractions)
        return HistoryPage(kept, len(page.messages), page.last_id, page.complete, at, tuple(retractions))

    def _retraction(self, room: BareJid, archived: Archived) -> Retraction | None:
        stanza = archived.message
        if is_tombstone(stanza):
            return room_tombstone(stanza, room, archived.id)
        if stanza.get("from") == room:
            return moderation(stanza, room)
        sender = self._author(room, stanza) if refers(stanza) else None
        found = None if sender is None else reference(stanza, sender, is_past=True)
        return found if isinstance(found, Retraction) else None

    def _post(self, room: BareJid, archived: Archived, joiner: AttachmentJoiner) -> IncomingMessage | None:
        stanza, sender = archived.message, self._author(room, archived.message)
        if sender is None or sender.identity is None:
            return None
        shared = read(stanza)
        if shared.by_bot or self._is_ours(room, stanza):
            return None
        ids = [archived.id, *(each.get("id", "") for each in named(stanza, STANZA_IDS, "origin-id"))]
        key, message_ids = f"{room}/{sender.nick}", (MessageIds(archived.id, own_ids(stanza)),)
        earlier = joiner.attached_to(key, shared)
        offers = joiner.feed(key, shared, [each for each in ids if each], 0.0, message_ids[0])
        if not offers:
            return None
        return IncomingMessage(
            sender,
            shared.text[:LONGEST_TEXT],
            offers=offers,
            addressed=False,
            delayed_since=archived.at,
            ids=message_ids if earlier is None else (*message_ids, earlier),
        )
