"""Files by the messages that brought or showed them.

A reply to one (XEP-0461) can mean its file, a retraction of one (XEP-0424) takes back what it brought, and
a correction of one (XEP-0308) changes the caption. Nothing is allowed by it: a file that is found for a
reply is looked up with the rights of the person who replies.

Theory of operation. In a room others refer to a message by the id that the room gave it, elsewhere by one
that its client gave it; the two are told apart, as anybody can use another message's id for an own one. All
is held in memory, by hashes, and in the catalog. The bot's own messages in rooms are written there when the
room has told their ids.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from cachetools import LRUCache

from filebot.errors import StorageError
from filebot.events.facts import Event, FileAutoArchived, FileStored
from filebot.model import Address, AddressKind, BareJid, FileMessage, PostedMessage, Retraction, Sender
from filebot.ports import MOST_FILE_MESSAGES, MOST_FILE_MESSAGES_OF_PLACE, FileMessages

log = logging.getLogger(__name__)

MOST_FILES: Final = 20
"""Files of one message that are told apart; a message with more is one with several all the same."""
MOST_OWN_MESSAGES: Final = 2_000
"""Messages of the bot's in rooms whose two ids are known."""

_DIGITS: Final = 32
_GIVEN, _OWN = "given", "own"


class ShownFiles:
    """Ids of entries by conversation and message id."""

    def __init__(self, store: FileMessages) -> None:
        self._store = store
        self._by_key: OrderedDict[str, dict[int, FileMessage]] = OrderedDict()
        self._of_place: dict[str, OrderedDict[str, None]] = {}
        self._brought: dict[int, dict[str, FileMessage]] = {}
        """By entry, and by their keys: the messages that brought it."""
        self._given: LRUCache[str, str] = LRUCache(MOST_OWN_MESSAGES)
        """By the key of the bot's own id of a message in a room: the key of the room's id."""
        self._own_ids: LRUCache[str, str] = LRUCache(MOST_OWN_MESSAGES)
        """By the key of the room's id: the bot's own id."""

    async def open(self) -> None:
        """Read what an earlier run has kept. Raises StorageError."""
        for each in await self._store.all():
            self._remember(each)

    async def add(self, where: Address, message_id: str, entry_ids: Iterable[int]) -> None:
        """Remember that a message of the bot's shows these files; without an id, do nothing."""
        if not message_id:
            return
        place = _place(where)
        keys = [_key(place, _OWN, message_id)]
        if where.kind is AddressKind.ROOM:
            keys += [given] if (given := self._given.get(keys[0])) else []
        shown = [FileMessage(place, key, each, key) for key in keys for each in entry_ids]
        await self._keep(shown, durably=where.kind is not AddressKind.ROOM or len(keys) > 1)

    async def posted(self, room: BareJid, own_id: str, given_id: str) -> None:
        """Note the id that a room gave a message of the bot's."""
        place = _place(Address(room, AddressKind.ROOM))
        own, given = _key(place, _OWN, own_id), _key(place, _GIVEN, given_id)
        self._given[own], self._own_ids[given] = given, own_id
        shown = self._by_key.get(own, {})
        await self._keep([FileMessage(place, given, each, given) for each in shown])

    def own_id(self, sender: Sender, message_id: str) -> str:
        """Return by which id the bot knows a message of its own to which somebody refers where they speak.

        In private it is the same.
        """
        if not sender.in_public:
            return message_id
        return self._own_ids.get(_key(_place(sender.address), _GIVEN, message_id), "")

    async def note(self, event: Event) -> None:
        """Remember the message by which a file was stored, if the event tells of one."""
        if isinstance(event, FileStored | FileAutoArchived) and event.sender.spoken_id:
            place = _place(event.sender.address)
            kind = _GIVEN if event.sender.in_public else _OWN
            key = _key(place, kind, event.sender.spoken_id)
            if event.entry.id not in self._by_key.get(key, {}):
                # A message that can be taken back is written when it is known as such.
                await self._keep([FileMessage(place, key, event.entry.id, key)], durably=False)

    async def brought(self, message: PostedMessage, entry_id: int, *, again: bool) -> None:
        """Remember that a message brought a file, which can be taken back with it.

        ``again``: the file was there before. If no message is known to have brought it then, none can take
        it back.
        """
        author = _hash(message.author)
        place, keys = _place(message.where), _keys(message)
        if again and entry_id not in self._brought:
            author = ""
        await self._keep([FileMessage(place, key, entry_id, keys[0], author) for key in keys])

    def replied_to(self, sender: Sender, message_id: str) -> tuple[int, ...] | None:
        """Return the ids of the files of the message that somebody replies to; None if it is no reply.

        There are none if the message had none or is forgotten.
        """
        if not message_id:
            return None
        # Some rooms are answered in private, but it was there that the message was.
        room = Address(sender.room, AddressKind.ROOM) if sender.room else sender.address
        found = (self._by_key.get(_reference(where, message_id)) for where in (sender.address, room))
        return tuple(next((each for each in found if each), {}))

    def brought_by(self, sender: Sender, message_ids: Iterable[str]) -> list[FileMessage]:
        """Return the files that the sender's own messages with these ids brought where they speak."""
        place, author = _place(sender.address), _hash(sender.author or "")
        keys = (_key(place, kind, each) for each in message_ids for kind in (_GIVEN, _OWN))
        found = (each for key in keys for each in self._by_key.get(key, {}).values())
        return [each for each in found if sender.author and each.author == author]

    def taken_back(self, retraction: Retraction) -> list[FileMessage]:
        """Return the files that a message brought which is taken back, by whoever may."""
        if not retraction.by_room:
            return self.brought_by(retraction.sender, retraction.message_ids)
        place = _place(retraction.sender.address)
        keys = (_key(place, _GIVEN, each) for each in retraction.message_ids)
        return [each for key in keys for each in self._by_key.get(key, {}).values() if each.author]

    async def forget(self, message: FileMessage) -> bool:
        """Forget that a message brought a file; return whether no other message did."""
        same = [
            each for each in self._brought.get(message.entry_id, {}).values() if _is_same(each, message)
        ]
        for each in same:
            self._drop(each.key, each.entry_id)
        try:
            await self._store.forget(same)
        except StorageError as error:
            log.warning("a message that was taken back is not forgotten: %s", error)
        return message.entry_id not in self._brought

    # --- inside ---------------------------------------------------------------------------------

    async def _keep(self, messages: Sequence[FileMessage], *, durably: bool = True) -> None:
        for each in messages:
            self._remember(each)
        if not durably or not messages:
            return
        try:
            await self._store.add(messages)
        except StorageError as error:  # the file is there, and the answer was given
            log.warning("which message showed a file is not kept: %s", error)

    def _remember(self, message: FileMessage) -> None:
        files = self._by_key.setdefault(message.key, {})
        if message.entry_id not in files and len(files) >= MOST_FILES:
            return
        known = files.get(message.entry_id)
        if known is not None and known.author and not message.author:
            return
        files[message.entry_id] = message
        here = self._of_place.setdefault(message.place, OrderedDict())
        here[message.key] = None
        if message.author:
            self._brought.setdefault(message.entry_id, {})[message.key] = message
        if len(here) > MOST_FILE_MESSAGES_OF_PLACE:
            self._drop(next(iter(here)))
        if len(self._by_key) > MOST_FILE_MESSAGES:
            self._drop(next(iter(self._by_key)))

    def _drop(self, key: str, entry_id: int | None = None) -> None:
        """Forget the files of a message id, or one of them."""
        files = self._by_key.get(key, {})
        for each in [each for each in files.values() if entry_id in {None, each.entry_id}]:
            del files[each.entry_id]
            brought = self._brought.get(each.entry_id, {})
            brought.pop(key, None)
            if not brought:
                self._brought.pop(each.entry_id, None)
            if not files:
                del self._by_key[key]
                del self._of_place[each.place][key]
                if not self._of_place[each.place]:
                    del self._of_place[each.place]


def keys_of(message: PostedMessage) -> Sequence[str]:
    """Return hashes of all ids of a message, with its conversation."""
    return _keys(message)


def retracted_keys(retraction: Retraction) -> Sequence[str]:
    """Return hashes of the ids by which a message is taken back, with its conversation."""
    place, kinds = _place(retraction.sender.address), (_GIVEN,) if retraction.by_room else (_GIVEN, _OWN)
    return [_key(place, kind, each) for each in retraction.message_ids for kind in kinds]


def _keys(message: PostedMessage) -> list[str]:
    place, keys = _place(message.where), list[str]()
    for each in message.ids:
        keys += [_key(place, _GIVEN, each.given)] if each.given else []
        keys += [_key(place, _OWN, own) for own in each.own]
    return list(dict.fromkeys(keys))


def _reference(where: Address, message_id: str) -> str:
    # XEP-0461 section 4.1: in a room it is the room's id that counts.
    kind = _GIVEN if where.kind is AddressKind.ROOM else _OWN
    return _key(_place(where), kind, message_id)


def _place(where: Address) -> str:
    match where.kind:
        case AddressKind.CHAT:
            return _hash(f"chat {where.conversation.jid}")
        case AddressKind.ROOM:
            return _hash(f"room {where.jid}")
        case AddressKind.ROOM_PRIVATE:
            # Whoever has a nick today need not have had it yesterday.
            room = where.jid.partition("/")[0]
            return _hash(f"private {room} {where.occupant or where.jid}")


def _key(place: str, kind: str, message_id: str) -> str:
    return _hash(f"{place} {kind} {message_id}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGITS]


def _is_same(one: FileMessage, other: FileMessage) -> bool:
    return one.message == other.message and one.author == other.author
