"""Files that need more than one message (XEP-0447 section 3.3, XEP-0367).

Theory of operation. A message with files is remembered under each of its ids. What is attached to it later
is one of four things:

* sources for an announced file (Dino): the announcement and the sources are one offer, given once;
* a URL that the first message told already (Kaidan, for clients that read only XEP-0066): nothing new;
* further sources for a file that has some: left alone, the file is known;
* a URL that nobody told: an offer like any other.

Announcements that wait longer than ``max_age_s``, or for which there is no room, come out of ``expire``.
Only the sender of a message can attach to it: the key of the sender is part of every id.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from filebot.concurrency.bounded_store import weight
from filebot.model import MessageIds, Offer
from filebot.protocol.file_sharing.read import AnnouncedFile, Attached, Shared, combined

MESSAGE_BYTES: Final = 1_000
"""Memory for a message beside its texts."""
NUMBER_BYTES: Final = 100

MAX_IDS: Final = 4
"""Ids kept of one message: the id, the origin-id, and one stanza-id or two."""


_NO_IDS: Final = MessageIds()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An announced file whose sources never came."""

    sender: str
    offer: Offer


@dataclass(slots=True, eq=False)
class _Message:
    sender: str
    ids: tuple[str, ...]
    since: float
    waiting: list[AnnouncedFile]
    told: set[int]
    """Hashes of the URLs that were given out: a URL may have 8 KiB."""

    size: int
    """Bytes of memory that it took at first, about."""

    message_ids: MessageIds
    """The same ids, told apart by who gave them."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much is remembered."""

    messages: int
    size_bytes: int


class AttachmentJoiner:
    """Joins files across messages. ``now`` is in seconds of any clock that never goes back."""

    def __init__(
        self,
        *,
        max_age_s: float = 300.0,
        most: Bound = Bound(1024, 8 * 1024 * 1024),
        most_of_one_sender: Bound = Bound(128, 256 * 1024),
    ) -> None:
        """``most`` bounds what is remembered, of all senders together and of each one."""
        self._max_age_s = max_age_s
        self._most = most
        self._most_of_one_sender = most_of_one_sender
        self._messages: dict[_Message, None] = {}
        self._by_id: dict[tuple[str, str], _Message] = {}
        self._lost: deque[Unfinished] = deque(maxlen=most.messages)

    def attached_to(self, sender: str, shared: Shared) -> MessageIds | None:
        """Return the ids of the message that this one is attached to; None if it is not known."""
        known = self._by_id.get((sender, shared.attached.message_id)) if shared.attached else None
        return None if known is None else known.message_ids

    def feed(
        self,
        sender: str,
        shared: Shared,
        ids: Iterable[str],
        now: float,
        message_ids: MessageIds = _NO_IDS,
    ) -> tuple[Offer, ...]:
        """The offers that this message makes complete.

        ``sender`` is the bare JID, or the occupant JID in a room; ``ids`` are all by which another message
        may refer to this one: its id and origin-id, in a room the room's stanza-id (XEP-0359).
        ``message_ids`` is what :meth:`attached_to` returns for it.
        """
        known = self._by_id.get((sender, shared.attached.message_id)) if shared.attached else None
        offers = shared.offers
        if known is not None and shared.attached is not None:
            offers = _joined(known, shared, shared.attached)
        if shared.announced or (shared.attached is None and (offers or shared.encrypted_urls)):
            self._remember(sender, shared, tuple(ids)[:MAX_IDS], message_ids, now)
        return offers

    def expire(self, now: float) -> tuple[Unfinished, ...]:
        """Announcements that are given up since the last call."""
        while self._messages and (oldest := next(iter(self._messages))).since + self._max_age_s <= now:
            self._forget(oldest)
        lost = tuple(self._lost)
        self._lost.clear()
        return lost

    def _remember(
        self, sender: str, shared: Shared, ids: tuple[str, ...], message_ids: MessageIds, now: float
    ) -> None:
        urls = (*shared.encrypted_urls, *(url for offer in shared.offers for url in offer.urls))
        told = {hash(url) for url in urls}
        size = (
            MESSAGE_BYTES
            + weight((sender, ids, message_ids.own, shared.announced))
            + NUMBER_BYTES * len(told)
        )
        message = _Message(sender, ids, now, list(shared.announced), told, size, message_ids)
        self._messages[message] = None
        for each in ids:
            self._by_id[sender, each] = message
        self._make_room(
            [each for each in self._messages if each.sender == sender], self._most_of_one_sender
        )
        self._make_room(list(self._messages), self._most)

    def _make_room(self, messages: list[_Message], most: Bound) -> None:
        """Forget the oldest of these until the others are few and small enough."""
        size = sum(message.size for message in messages)
        for forgotten, message in enumerate(messages):
            if size <= most.size_bytes and len(messages) - forgotten <= most.messages:
                return
            size -= message.size
            self._forget(message)

    def _forget(self, message: _Message) -> None:
        del self._messages[message]
        for each in message.ids:
            if self._by_id.get((message.sender, each)) is message:
                del self._by_id[message.sender, each]
        self._lost.extend(Unfinished(message.sender, each.offer) for each in message.waiting)


def _joined(known: _Message, shared: Shared, attached: Attached) -> tuple[Offer, ...]:
    """Return the offers that a message adds to the one that it is attached to."""
    complete = []
    sources = set[str]()
    for file_id, urls in attached.sources:
        sources.update(urls)
        announced = _take(known, file_id)
        if announced is not None and urls:
            complete.append(combined(announced, Offer(urls=urls)))
    for offer in shared.offers:
        if not sources.isdisjoint(offer.urls) or any(hash(url) in known.told for url in offer.urls):
            continue
        # A URL comes without the id of its file: it is that of the first which waits for one.
        announced = _take(known, "")
        if announced is not None:
            known.told.update(hash(url) for url in offer.urls)
        complete.append(combined(announced or Offer(), offer))
    return tuple(complete)


def _take(known: _Message, file_id: str) -> Offer | None:
    """The announced file of this id, or the first one if there is no id; it waits no longer."""
    for announced in known.waiting:
        if file_id in {announced.file_id, ""}:
            known.waiting.remove(announced)
            return announced.offer
    return None
