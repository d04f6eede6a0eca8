"""Files by the messages that brought or showed them, so that a reply to one (XEP-0461) can mean its file.

Held in memory only. Nothing is allowed by it: a file that is found here is looked up with the rights of the
person who replies.
"""

from typing import Final

from cachetools import LRUCache

from filebot.events.facts import Event, FileAutoArchived, FileStored
from filebot.model import Address, AddressKind, Sender

MOST_MESSAGES: Final = 10_000
"""Messages that are remembered, the latest. Each takes some hundred bytes, and with ``MOST_FILES`` 1 kB:
10 MB in all at most."""
MOST_FILES: Final = 20
"""Files of one message that are told apart; a message with more is one with several all the same."""


class ShownFiles:
    """Ids of entries by conversation and message id."""

    def __init__(self) -> None:
        # An id may be as long as a stanza: only its hash is remembered.
        self._entries: LRUCache[int, tuple[int, ...]] = LRUCache(MOST_MESSAGES)

    def add(self, where: Address, message_id: str, entry_id: int) -> None:
        """Remember that a message, said to or at an address, has this file; without an id, do nothing."""
        if message_id:
            key = hash((where.conversation, message_id))
            known = self._entries.get(key, ())
            if entry_id not in known and len(known) < MOST_FILES:
                self._entries[key] = (*known, entry_id)

    def note(self, event: Event) -> None:
        """Remember the message by which a file was stored, if the event tells of one."""
        if isinstance(event, FileStored | FileAutoArchived):
            self.add(event.sender.address, event.sender.spoken_id, event.entry.id)

    def replied_to(self, sender: Sender, message_id: str) -> tuple[int, ...] | None:
        """Return the ids of the files of the message that somebody replies to; None if it is no reply.

        There are none if the message had none or is forgotten.
        """
        if not message_id:
            return None
        # Some rooms are answered in private, but it was there that the message was.
        room = Address(sender.room, AddressKind.ROOM) if sender.room else sender.address
        places = (sender.address.conversation, room)
        found = (self._entries.get(hash((where, message_id))) for where in places)
        return next((each for each in found if each is not None), ())
