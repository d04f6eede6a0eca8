"""What was posted in rooms before: the ``Histories`` port over their archives (XEP-0313).

Who posted a message is told by its occupant-id alone (XEP-0421), which the room itself wrote. Nicks may
have had other owners then, and a real JID inside of a message (XEP-0313 section 5.2) may have been
put there by whoever wrote it: not every service takes such out.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqTimeout, XMPPError

from filebot.errors import NoHistory, PeerProtocolError, TransferTimeout
from filebot.model import Address, AddressKind, BareJid, HistoryPage, IncomingMessage, Occupant, Sender
from filebot.protocol.sharing import Joiner, read
from filebot.xmpp.archive import LIMIT_S, Archive, Archived
from filebot.xmpp.elements import STANZA_IDS, is_retracted, named, sender_of
from filebot.xmpp.stream import Stream

log = logging.getLogger(__name__)


class RoomHistories:
    """Reads archives of rooms page by page; for each room one page at a time."""

    def __init__(self, stream: Stream, author: Callable[[BareJid, Element], Occupant | None]) -> None:
        """``author`` tells who wrote a message, as far as its room vouches for that.

        It is None where the room tells nobody apart.
        """
        self._stream = stream
        self._author = author
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
            raise NoHistory(room, reason="closed") from error
        except PeerProtocolError as error:
            raise NoHistory(room, reason="closed") from error
        finally:
            self._open.pop(room, None)
        joiner = Joiner()
        posts = [post for each in page.messages if (post := self._post(room, each, joiner)) is not None]
        at = page.messages[-1].at if page.messages else None
        return HistoryPage(tuple(posts), len(page.messages), page.last_id, page.complete, at)

    def _post(self, room: BareJid, archived: Archived, joiner: Joiner) -> IncomingMessage | None:
        stanza, speaker = archived.message, sender_of(archived.message)
        if speaker is None or speaker.bare != room or stanza.get("type") != "groupchat":
            return None
        if is_retracted(stanza):
            return None
        shared = read(stanza)
        ids = [archived.id, *(each.get("id", "") for each in named(stanza, STANZA_IDS, "origin-id"))]
        offers = joiner.feed(speaker.full, shared, [each for each in ids if each], 0.0)
        author = self._author(room, stanza) if offers else None
        if author is None or author.identity is None:
            return None
        sender = Sender(Address(room, AddressKind.ROOM), author.jid, room, speaker.resource, author.key)
        return IncomingMessage(
            sender, shared.text, offers=offers, addressed=False, delayed_since=archived.at
        )
