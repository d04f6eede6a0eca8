"""Routes messages: live ones and those out of an archive go to the reader, and from there to handlers.

The few messages that are something else tell it by their type or by a payload; each of those is known to
one module, which is asked only then.
"""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element

from filebot.concurrency.tasks import Tasks
from filebot.model import BareJid, EncryptedMessage, IncomingMessage, Invitation, Reaction, Retraction
from filebot.protocol.archive_cursor import message_key
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.archive.mam_query import RESULT, Archived, took_result
from filebot.xmpp.archive.room_catchups import RoomCatchUps
from filebot.xmpp.archive.sent_messages import SentMessages
from filebot.xmpp.archive.server_time import ServerTimes
from filebot.xmpp.archive.turns import Turn
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.handlers import Handler, Handlers
from filebot.xmpp.messages.bounces import Bounces
from filebot.xmpp.messages.carbons import RECEIVED, received_copy
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.messages.reader import Read, Reader
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.xml import RECEIPT_REQUEST, delayed_since, sender_of

MOST_HANDLERS: Final = 20_000
"""Messages that are worked on, or wait for it, at once; policy limits each person and all long before."""
FINISH_S: Final = 0.5

_T = TypeVar("_T")


class MessageRouter:
    """Brings each message to the reader, and what was read to the handlers.

    A message is handled only when its handler is done.
    """

    def __init__(
        self,
        stream: Stream,
        reader: Reader,
        rooms: JoinedRooms,
        messenger: StreamMessenger,
        *,
        bounces: Bounces,
        catch_up: CatchUp,
        room_catch_ups: RoomCatchUps,
        times: ServerTimes,
        sent: SentMessages,
        tasks: Tasks,
        handlers: Handlers,
    ) -> None:
        """``catch_up`` is that of the bot's own archive; :meth:`close` ends the ``tasks``."""
        self._stream = stream
        self._jid: Final[BareJid] = str(stream.boundjid.bare)
        self._reader = reader
        self._rooms = rooms
        self._messenger = messenger
        self._bounces = bounces
        self._catch_up = catch_up
        self._room_catch_ups = room_catch_ups
        self._times = times
        self._sent = sent
        self._tasks = tasks
        self._handlers = handlers

    async def close(self) -> None:
        """Let handlers end whose work is done already, for at most ``FINISH_S``; cancel the others.

        A message that was answered and whose handler is cut off would be answered again after the start.
        """
        await self._tasks.idle(FINISH_S)
        await self._tasks.close()

    def live(self, stanza: Element) -> None:
        """Take a message that has just come."""
        kind, payloads = stanza.get("type"), {child.tag for child in stanza}
        if kind == "error":
            self._bounces.bounced(stanza)
            return
        if RESULT in payloads and took_result(self._stream, stanza):
            return
        copy = received_copy(stanza, self._jid) if RECEIVED in payloads else None
        if copy is not None:
            self._take_live(copy, is_copy=True)
            return
        if kind == "groupchat":
            self._sent.told_in_room(stanza.get("id", ""))
            self._note_own(stanza)
        elif RECEIPT_REQUEST in payloads:
            self._acknowledge(stanza)
        self._take_live(stanza, is_copy=False)

    def _take_live(self, stanza: Element, *, is_copy: bool) -> None:
        catch_up, key = self._place(stanza)
        if is_copy and key is None:
            catch_up.look()  # or the next start would meet it as new
        kept_back, since = self._reader.was_kept_back(stanza), delayed_since(stanza)
        if catch_up.live(key, kept_back=kept_back, since=since):
            self._handle(self._reader.read(stanza, is_copy=is_copy), catch_up, key)

    def _note_own(self, stanza: Element) -> None:
        """Note the id that a room gave a message of the bot's: others refer to it by that (XEP-0461)."""
        sender = sender_of(stanza)
        if sender is None or not self._rooms.gives_stanza_ids(sender.bare):
            return
        if sender.resource and sender.resource == self._rooms.nick_in(sender.bare):
            given = self._reader.archive_id(stanza, sender.bare)
            if given is not None and (own := stanza.get("id")) and self._handlers.posted is not None:
                self._tasks.start(self._handlers.posted(sender.bare, own, given), "own message")

    def _place(self, stanza: Element) -> tuple[CatchUp, str | None]:
        """Return the catch-up for a message that has just come, and the message's key in the archive."""
        if stanza.get("type") != "groupchat":
            # Where the server does not promise such ids, anybody can write one.
            return self._catch_up, self._key(stanza, self._jid) if self._catch_up.is_on else None
        sender = sender_of(stanza)
        catch_up = None if sender is None else self._room_catch_ups.of(sender.bare)
        if sender is None or catch_up is None or self._reader.is_past(stanza):
            return self._catch_up, None
        return catch_up, self._key(stanza, sender.bare)

    def _key(self, stanza: Element, archive: BareJid) -> str | None:
        archive_id = self._reader.archive_id(stanza, archive)
        return None if archive_id is None else message_key(archive_id, stanza)

    def _acknowledge(self, stanza: Element) -> None:
        """XEP-0184: only people who are served learn that the bot is there; rooms have no receipts."""
        sender, message_id = sender_of(stanza), stanza.get("id")
        if sender is None or not message_id or sender.bare in self._rooms.addresses:
            return
        if self._handlers.is_served(sender.bare):
            self._messenger.acknowledge(sender, message_id, stanza.get("to", ""))

    # --- out of archives ------------------------------------------------------------------------

    def room_turn(self, room: BareJid, stanza: Element) -> Turn:
        """Return whose turn a message out of a room's archive was."""
        return Turn(self._rooms.is_ours_in(room, stanza), room)

    def missed(self, archived: Archived) -> bool:
        """Take a message out of the bot's own archive; return whether there is anything to do."""
        self._times.stamped(archived.at)
        return self._take_missed(archived, self._catch_up, None)

    def missed_in_room(self, catch_up: CatchUp, room: BareJid, archived: Archived) -> bool:
        """Take a message out of a room's archive; return whether there is anything to do."""
        if self._rooms.is_ours_in(room, archived.message):
            catch_up.handled(archived.key, save=False)
            return False
        return self._take_missed(archived, catch_up, room)

    def _take_missed(self, archived: Archived, catch_up: CatchUp, room: BareJid | None) -> bool:
        message, at = archived.message, archived.at
        read = self._reader.read(message, archived_at=at, archive=room, archive_id=archived.id)
        if isinstance(read, IncomingMessage):
            read = replace(read, maybe_handled=archived.answered)
        return self._handle(read, catch_up, archived.key)

    # --- handlers -------------------------------------------------------------------------------

    def _handle(
        self,
        read: Read | None,
        catch_up: CatchUp,
        key: str | None,
    ) -> bool:
        """Return whether there is anything to do; ``catch_up`` hears when that is done."""
        work: Coroutine[Any, Any, None] | None = None
        if isinstance(read, IncomingMessage) and _may_matter(read):
            message = replace(read, mam_id=catch_up.name(key))
            work = self._call(self._handlers.message, message, catch_up, key)
        elif isinstance(read, EncryptedMessage) and self._handlers.encrypted is not None:
            work = self._call(self._handlers.encrypted, read, catch_up, key)
        elif isinstance(read, Invitation) and self._handlers.invitation is not None:
            work = self._call(self._handlers.invitation, read, catch_up, key)
        elif isinstance(read, Retraction) and self._handlers.retraction is not None:
            work = self._call(self._handlers.retraction, read, catch_up, key)
        elif isinstance(read, Reaction) and self._handlers.reaction is not None:
            work = self._call(self._handlers.reaction, read, catch_up, key)
        if work is None:
            catch_up.handled(key, save=False)
            return False
        # Always as a task: an error of the handler is ours to log, and no stanza for the peer.
        self._tasks.start(work, "message handler")
        return True

    async def _call(self, handler: Handler[_T], value: _T, catch_up: CatchUp, key: str | None) -> None:
        try:
            work = handler(value)
            if work is not None:
                await work
        except Exception:
            # A message that no handler can bear would be met again at every start.
            catch_up.handled(key)
            raise
        catch_up.handled(key)


def _may_matter(message: IncomingMessage) -> bool:
    """Whether a message has files, or is meant for the bot as far as it says itself."""
    return bool(message.addressed or message.offers or message.replies_to_bot or message.replaces)
