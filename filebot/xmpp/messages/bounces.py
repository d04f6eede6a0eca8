"""Messages of the bot that come back, or that the server does not even take."""

import logging
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.stanza import Message

from filebot.concurrency.tasks import Tasks
from filebot.model import BareJid, Bounce
from filebot.protocol.stanza_error import read_error
from filebot.protocol.xml import named
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.messenger import StreamMessenger, addressee
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.rooms.room_sender import RoomSender
from filebot.xmpp.xml import STANZA_IDS, language_of, sender_of

log = logging.getLogger(__name__)

MOST_IDS: Final = 4
"""Ids of the sender's own that are looked at in one error."""
LONGEST_ID: Final = 100
"""Characters: the bot's own ids are shorter."""


class Bounces:
    """Passes each on to the part of the session that said it."""

    def __init__(
        self,
        rooms: JoinedRooms,
        room_sender: RoomSender,
        messenger: StreamMessenger,
        tasks: Tasks,
        handlers: Handlers,
    ) -> None:
        self._rooms = rooms
        self._room_sender = room_sender
        self._messenger = messenger
        self._tasks = tasks
        self._handlers = handlers

    def bounced(self, stanza: Element) -> None:
        """Take a message of the type ``error``."""
        sender, message_id = sender_of(stanza), stanza.get("id", "")
        error = read_error(stanza)
        condition, kind = error.condition, error.kind
        log.info("a message to %s came back: %s", sender, condition)
        if sender is None:
            return
        if sender.bare not in self._rooms.addresses:
            if not self._messenger.came_back(sender, message_id, condition) and not sender.resource:
                self._tell(stanza, sender.bare, condition)
            return
        # Errors with a nick can come from that occupant, who can make up any: they say nothing of the room,
        # but that this one was not answered.
        if not sender.resource:
            self._rooms.bounced(sender.bare, condition)
            if not self._room_sender.bounced(sender.bare, message_id, condition, kind):
                self._tell(stanza, sender.bare, condition)
        elif self._handlers.no_private is not None and self._room_sender.wants_none_aside(
            sender.full, message_id, condition, kind
        ):
            self._tasks.start(self._handlers.no_private(sender.bare), "no private messages")

    def _tell(self, stanza: Element, sender: BareJid, condition: str) -> None:
        if self._handlers.bounced is None:
            return
        # COMPAT(gateways): some errors have an id of their own, and the message's only in what they return.
        origins = (each.get("id", "") for each in islice(named(stanza, STANZA_IDS, "origin-id"), MOST_IDS))
        ids = [stanza.get("id", ""), *origins]
        known = any(self._messenger.has_said(each) for each in ids)
        named_ids = tuple(dict.fromkeys(each for each in ids if 0 < len(each) <= LONGEST_ID))
        bounce = Bounce(sender, named_ids, may_be_any=not known, condition=condition)
        self._tasks.start(self._handlers.bounced(bounce), "bounce")

    def unsent(self, message: Message) -> None:
        """Take a message of the bot that the server does not take."""
        to = addressee(message)
        if to is not None and self._handlers.unsent is not None:
            self._tasks.start(self._handlers.unsent(to, language_of(message.xml)), "unsent message")
