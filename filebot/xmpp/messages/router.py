"""Routes messages: live ones and those out of an archive go to the reader, and from there to handlers."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol
from xml.etree.ElementTree import Element

from filebot.model import BareJid, IncomingMessage
from filebot.protocol.xml import first
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.archive.room_catchups import RoomCatchUps
from filebot.xmpp.archive.server_time import ServerTimes
from filebot.xmpp.archive.turns import Turn
from filebot.xmpp.messages.carbons import received_copy
from filebot.xmpp.messages.handler_tasks import HandlerTasks
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.messages.reader import Reader
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.xml import RECEIPTS, delayed_since, sender_of


class ArchiveReader(Protocol):
    """Asks an archive, and gets its results as messages."""

    def took(self, stanza: Element) -> bool:
        """Return whether a message was a result that was asked for."""


class MessageRouter:
    """Brings each message to the reader, and what was read to the handlers."""

    def __init__(
        self,
        jid: BareJid,
        reader: Reader,
        rooms: JoinedRooms,
        messenger: StreamMessenger,
        *,
        catch_up: CatchUp,
        room_catch_ups: RoomCatchUps,
        times: ServerTimes,
        archives: Collection[ArchiveReader],
        tasks: HandlerTasks,
        is_served: Callable[[str], bool],
    ) -> None:
        """``jid`` is the bot's own bare address, ``catch_up`` that of its own archive."""
        self._jid = jid
        self._reader = reader
        self._rooms = rooms
        self._messenger = messenger
        self._catch_up = catch_up
        self._room_catch_ups = room_catch_ups
        self._times = times
        self._archives = archives
        self._tasks = tasks
        self._is_served = is_served

    def live(self, stanza: Element) -> None:
        """Take a message that has just come and is no error."""
        if any(each.took(stanza) for each in self._archives):
            return
        copy = received_copy(stanza, self._jid)
        if copy is None:
            self._acknowledge(stanza)
        message = stanza if copy is None else copy
        catch_up, archive_id = self._place(message)
        if copy is not None and archive_id is None:
            catch_up.look()  # or the next start would meet it as new
        kept_back, since = self._reader.was_kept_back(message), delayed_since(message)
        if catch_up.live(archive_id, kept_back=kept_back, since=since):
            now = asyncio.get_running_loop().time()
            read = self._reader.read(message, now, is_copy=copy is not None)
            self._tasks.take(read, catch_up, archive_id)

    def _place(self, stanza: Element) -> tuple[CatchUp, str | None]:
        """Return the catch-up for a message that has just come, and the message's id in the archive."""
        if stanza.get("type") != "groupchat":
            # Where the server does not promise such ids, anybody can write one.
            return self._catch_up, (
                self._reader.archive_id(stanza, self._jid) if self._catch_up.is_on else None
            )
        sender = sender_of(stanza)
        catch_up = None if sender is None else self._room_catch_ups.of(sender.bare)
        if sender is None or catch_up is None or self._reader.is_past(stanza):
            return self._catch_up, None
        return catch_up, self._reader.archive_id(stanza, sender.bare)

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
            catch_up.handled(archived.id, save=False)
            return False
        return self._take_missed(archived, catch_up, room)

    def _take_missed(self, archived: Archived, catch_up: CatchUp, room: BareJid | None) -> bool:
        now = asyncio.get_running_loop().time()
        read = self._reader.read(archived.message, now, archived_at=archived.at, archive=room)
        if isinstance(read, IncomingMessage):
            read = replace(read, maybe_handled=archived.answered)
        return self._tasks.take(read, catch_up, archived.id)

    def _acknowledge(self, stanza: Element) -> None:
        """XEP-0184: only people who are served learn that the bot is there; rooms have no receipts."""
        sender, message_id = sender_of(stanza), stanza.get("id")
        if sender is None or not message_id or stanza.get("type") == "groupchat":
            return
        if first(stanza, RECEIPTS, "request") is None or self._rooms.is_ours(sender.bare):
            return
        if self._is_served(sender.bare):
            self._messenger.acknowledge(sender, message_id, stanza.get("to", ""))
