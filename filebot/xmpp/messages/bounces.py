"""Messages of the bot that come back, or that the server does not even take."""

import logging
from xml.etree.ElementTree import Element

from slixmpp.stanza import Message

from filebot.concurrency.tasks import Tasks
from filebot.protocol.stanza_error import read_error
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.messenger import StreamMessenger, addressee
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.rooms.room_sender import RoomSender
from filebot.xmpp.xml import language_of, sender_of

log = logging.getLogger(__name__)


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
            self._messenger.came_back(sender, message_id, condition)
            return
        # Errors with a nick can come from that occupant, who can make up any: they say nothing of the room,
        # but that this one was not answered.
        if not sender.resource:
            self._rooms.bounced(sender.bare, condition)
            self._room_sender.bounced(sender.bare, message_id, condition, kind)
        elif self._handlers.no_private is not None and self._room_sender.wants_none_aside(
            sender.full, message_id, condition, kind
        ):
            self._tasks.start(self._handlers.no_private(sender.bare), "no private messages")

    def unsent(self, message: Message) -> None:
        """Take a message of the bot that the server does not take."""
        to = addressee(message)
        if to is not None and self._handlers.unsent is not None:
            self._tasks.start(self._handlers.unsent(to, language_of(message.xml)), "unsent message")
