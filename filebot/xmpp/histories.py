"""What was posted in rooms before: the ``Histories`` port over their archives (XEP-0313)."""

import logging
from collections.abc import Callable
from datetime import datetime
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqTimeout, XMPPError

from filebot.errors import NoHistory, PeerGone, PeerProtocolError, TransferTimeout
from filebot.model import BareJid, HistoryPage, IncomingMessage, Sender
from filebot.protocol.sharing import Joiner, read
from filebot.xmpp.archive import LIMIT_S, Archive, Archived
from filebot.xmpp.elements import STANZA_IDS, named, sender_of
from filebot.xmpp.stream import Stream

log = logging.getLogger(__name__)


class RoomHistories:
    """Reads archives of rooms page by page; for each room one page at a time."""

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
        self._open: dict[BareJid, Archive] = {}

    def took(self, stanza: Element) -> bool:
        """Whether a message came out of an archive because we asked for it."""
        sender = sender_of(stanza)
        archive = None if sender is None else self._open.get(sender.full)
        return archive is not None and archive.took(stanza)

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        """See the port."""
        archive = self._open.setdefault(room, Archive(self._stream, room))
        try:
            page = await archive.page(after, since)
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
        finally:
            self._open.pop(room, None)
        if room not in self._joined():
            # Authors are known by the roll alone: this page would be one without any.
            raise PeerGone("put out of the room meanwhile")
        joiner = Joiner()
        posts = [post for each in page.messages if (post := self._post(room, each, joiner)) is not None]
        at = page.messages[-1].at if page.messages else None
        return HistoryPage(tuple(posts), len(page.messages), page.last_id, page.complete, at)

    def _post(self, room: BareJid, archived: Archived, joiner: Joiner) -> IncomingMessage | None:
        stanza, sender = archived.message, self._author(room, archived.message)
        if sender is None or sender.identity is None:
            return None
        shared = read(stanza)
        if shared.by_bot or self._is_ours(room, stanza):
            return None
        ids = [archived.id, *(each.get("id", "") for each in named(stanza, STANZA_IDS, "origin-id"))]
        offers = joiner.feed(f"{room}/{sender.nick}", shared, [each for each in ids if each], 0.0)
        if not offers:
            return None
        return IncomingMessage(
            sender, shared.text, offers=offers, addressed=False, delayed_since=archived.at
        )
