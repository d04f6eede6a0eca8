"""One session on an XMPP server: what the rest of filebot holds in its hand.

It puts the pieces together: ``connection`` keeps the stream online, ``incoming`` reads messages,
``contacts`` and ``rooms`` answer presences, ``messenger``, ``upload`` and ``streams`` are ports on it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final, Self
from xml.etree.ElementTree import Element

from slixmpp.stanza import Message
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.model import Address, BareJid, IncomingMessage, Invitation
from filebot.ports import Cursors, FileRequest, StreamOffer, Subscriptions
from filebot.system.server_clock import ServerClock
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.archive.room_catchups import RoomCatchUps
from filebot.xmpp.archive.room_history import RoomHistories
from filebot.xmpp.archive.sent_messages import SentMessages
from filebot.xmpp.archive.server_time import ServerTimes
from filebot.xmpp.archive.turns import Turn, private_turn
from filebot.xmpp.bytestreams.offer_policy import StreamWords
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.bytestreams.socks5_ports import ByteConnections
from filebot.xmpp.connection.account import Account
from filebot.xmpp.connection.disco import server_of
from filebot.xmpp.connection.disco_features import FEATURES, IN_BAND, MET_BY_SOCKS5, SOCKS5
from filebot.xmpp.connection.reconnect import Connection
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Client, build, tell_features
from filebot.xmpp.http_upload import UploadSlots
from filebot.xmpp.messages.carbons import received_copy
from filebot.xmpp.messages.handling import Handler, Handlers, Handling
from filebot.xmpp.messages.messenger import StreamMessenger, addressee
from filebot.xmpp.messages.reader import EncryptedMessage, Reader
from filebot.xmpp.presence.client_check import ClientCheck
from filebot.xmpp.presence.online_clients import OnlineClients
from filebot.xmpp.presence.subscriptions import Contacts
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.rooms.room_sender import RoomSender
from filebot.xmpp.streams import PeerStreams, StreamHandlers
from filebot.xmpp.xml import (
    RECEIPTS,
    STREAMS,
    condition_of,
    delayed_since,
    error_type_of,
    first,
    language_of,
    named_condition,
    sender_of,
)

__all__ = ["EncryptedMessage", "Session", "SessionSettings", "StreamLimits", "StreamWords"]

log = logging.getLogger(__name__)

ROOMS_LIMIT_S: Final = 20.0
CLOSE_LIMIT_S: Final = 2.0
PROXY_LIMIT_S: Final = 3.0
"""How long the first presence waits to learn whether there is a proxy."""


class Session:
    """Online from :meth:`start` to :meth:`stop`; use it as a context to be sure of the latter.

    To be made and used in one event loop.
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        on_message: Handler[IncomingMessage],
        may_subscribe: Callable[[str], bool],
        unserved_reason: str = "",
        on_encrypted: Handler[EncryptedMessage] | None = None,
        on_invitation: Handler[Invitation] | None = None,
        on_stream_offer: Handler[StreamOffer] | None = None,
        on_file_request: Handler[FileRequest] | None = None,
        on_online: Callable[[str], None] = lambda _: None,
        on_no_private: Callable[[str], Coroutine[object, object, None]] | None = None,
        on_unsent: Callable[[Address, str | None], Coroutine[object, object, None]] | None = None,
        on_shut_out: Callable[[str, bool], Awaitable[None]] | None = None,
        connections: ByteConnections | None = None,
        stream_limits: StreamLimits | None = None,
        stream_words: StreamWords | None = None,
        positions: Cursors | None = None,
        clock: ServerClock | None = None,
        subscriptions: Subscriptions | None = None,
        most_attempts: int | None = None,
    ) -> None:
        """``may_subscribe`` tells whether a bare JID is served; ``unserved_reason`` is for the others.

        Streams are announced to others only if ``on_stream_offer`` takes what they offer, and SOCKS5 only
        if there are ``connections``. Without ``on_file_request`` nobody is given what they ask for.

        ``on_online`` is told the bare JID whenever a client of a person who is served comes online, for
        each client and again in each new session; it must be quick.

        ``on_no_private`` is told of a room that did not let the bot answer somebody in private.

        ``on_unsent`` is told to whom a message was that the server does not take, and its language.

        ``on_shut_out`` is told of a room that the bot does not come back to, and whether it was destroyed.

        With ``marks`` an account goes through its message archive (XEP-0313) in each new session, and in
        each new stay through those of rooms that keep files, from the last message on before which all were
        handled; without, it knows only what its server delivers. A message is handled when its handler has
        returned, or has failed, but not when it was cancelled.

        ``clock`` is set by the time of the server.

        With ``subscriptions`` a component is seen by its contacts after a restart, too.

        With ``most_attempts`` a server that was never reached is given up after so many.

        The other handlers are called in the order of arrival, each in a task of its own in which also what
        they return is awaited; :meth:`stop` cancels these tasks.
        """
        self._settings = settings
        self._on_no_private = on_no_private
        self._on_unsent = on_unsent
        self._may_subscribe = may_subscribe
        self._features = _features(on_stream_offer, connections)
        self._stream = build(settings, self._features)
        self._stream.on_unsent = self._unsent
        self._resources = OnlineClients(self._stream, may_subscribe, self._gone, on_online)
        self._uploads = UploadSlots(self._stream)
        clock = clock or ServerClock()
        self._times = ServerTimes(self._stream, clock)
        self._room_catch_ups = RoomCatchUps(
            self._stream,
            positions,
            self._missed_in_room,
            self._room_turn,
            clock,
        )
        self._rooms = JoinedRooms(self._stream, settings, self._room_catch_ups, on_shut_out or _ignore)
        bare, component = self._stream.boundjid.bare, self._stream.is_component
        self._reader = Reader(
            bare, self._rooms, settings.command_prefix, settings.nick, whole_domain=component
        )
        self._histories = RoomHistories(
            self._stream, self._reader.author, self._rooms.is_ours_in, self._rooms.joined
        )
        self._flow = RoomSender(self._rooms.until_in)
        self._clients = ClientCheck(self._stream, self._resources.online_for_s)
        self._contacts = Contacts(self._stream, settings, may_subscribe, unserved_reason, subscriptions)
        self._messenger = StreamMessenger(
            self._stream,
            self._resources.all_correct,
            self._rooms.is_same_occupant,
            self._flow,
            self._clients.is_there,
            self._contacts.known_as,
        )
        self._streams = PeerStreams(
            self._stream,
            self._rooms,
            self._resources,
            may_subscribe,
            stream_handlers=StreamHandlers(on_stream_offer, on_file_request or _refuse)
            if on_stream_offer
            else None,
            connections=connections,
            limits=stream_limits,
            words=stream_words or StreamWords(unserved=unserved_reason),
        )
        self._connection = Connection(self._stream, settings, self._online, most_attempts)
        # Servers keep messages for accounts; rooms keep theirs for whoever is in them.
        own_marks = None if component else positions
        self._account = Account(self._stream)
        self._catch_up = CatchUp(
            self._stream,
            bare,
            own_marks,
            self._missed,
            partial(private_turn, bare),
            gives_ids=self._account.gives_archive_ids,
            clock=clock,
        )
        sent = SentMessages(self._stream)
        if isinstance(self._stream, Client):
            self._stream.resender.find_lost = sent.lost
        self._archives = (self._catch_up, self._room_catch_ups, self._histories, self._times, sent)
        self._handling = Handling(Handlers(on_message, on_encrypted, on_invitation))
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._is_set_up = False
        self._listen()

    @property
    def messenger(self) -> StreamMessenger:
        """The ``Messenger`` port."""
        return self._messenger

    @property
    def uploads(self) -> UploadSlots:
        """The ``UploadService`` port."""
        return self._uploads

    @property
    def rooms(self) -> JoinedRooms:
        """The ``Rooms`` port."""
        return self._rooms

    @property
    def histories(self) -> RoomHistories:
        """The ``Histories`` port."""
        return self._histories

    @property
    def streams(self) -> PeerStreams:
        """The ``Streams`` port."""
        return self._streams

    @property
    def jid(self) -> BareJid:
        """The bot's own bare address."""
        return str(self._stream.boundjid.bare)

    @property
    def server(self) -> str:
        """The domain of the server whose services the bot uses."""
        return server_of(self._stream)

    @property
    def server_time(self) -> ServerTimes:
        """Tells the time of the bot's server."""
        return self._times

    @property
    def trouble(self) -> str:
        """Why the last attempt to be online failed, in English; empty if none did."""
        return self._connection.trouble

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def start(self) -> None:
        """Begin to connect, in the background."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._connection.run(), name="session")

    async def run_until_ready(self) -> str:
        """Wait until the bot is online and in its rooms; returns its full JID.

        A room that cannot be entered holds this up for ``ROOMS_LIMIT_S`` at most; a server that is not
        there, for ever. Raises LoginFailed if the account is refused, ConnectionError if there are
        ``most_attempts`` and the last one of them failed.
        """
        self.start()
        assert self._running is not None  # noqa: S101  # start has just seen to it
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({ready, self._running}, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                self._running.result()
        finally:
            ready.cancel()
        await self._rooms.settled(ROOMS_LIMIT_S)
        return self._stream.boundjid.full

    async def ended(self) -> None:
        """Wait until the session is over for good: by :meth:`stop`, or by LoginFailed, which is raised."""
        if self._running is not None:
            await asyncio.wait({self._running})
            if not self._running.cancelled():
                self._running.result()

    async def stop(self) -> None:
        """Say good-bye to rooms and contacts and end the stream; takes a few seconds at most."""
        running, self._running = self._running, None
        self._connection.finish()
        await self._handling.close()
        await self._contacts.close()
        await self._catch_up.close()
        await self._room_catch_ups.close()
        await self._streams.close()
        await self._flow.close()
        if self._ready.is_set() and self._stream.is_connected():
            await self._rooms.say_goodbye(self._settings.goodbye)
            if not self._settings.passive:
                await self._contacts.say_goodbye(self._settings.goodbye)
            await self._stream.drain(CLOSE_LIMIT_S)
            await self._stream.close(CLOSE_LIMIT_S)
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await self._rooms.forget()
        await self._stream.close(0.0)

    # --- the stream -----------------------------------------------------------------------------

    def _listen(self) -> None:
        space = self._stream.default_ns
        listeners: tuple[tuple[str, str, Callable[[Element], None]], ...] = (
            ("messages", f"{{{space}}}message", self._message),
            ("presences", f"{{{space}}}presence", self._presence),
            ("stream errors", f"{{{self._stream.stream_ns}}}error", self._stream_error),
        )
        for name, path, take in listeners:
            self._stream.register_handler(Callback(f"filebot {name}", MatchXPath(path), _unwrapped(take)))

    async def _online(self, resumed: bool) -> None:
        if resumed and self._is_set_up:
            log.info("the session is resumed")  # XEP-0198: rooms and presence live on
            return
        self._is_set_up = False
        log.info("online as %s", self._stream.boundjid.full)
        if not self._ready.is_set():
            await self._times.exact()  # before anything is noted, or judged by its age
        await self._account.begin()
        await self._catch_up.begin()
        self._uploads.forget()
        self._streams.renewed()
        self._resources.forget()
        if not self._settings.passive:
            await self._account.enter()
        await self._tell_features()
        if not self._settings.passive:
            await self._account.become_available(self._catch_up, self._contacts.show)
        await self._rooms.enter()
        await self._catch_up.start()
        self._is_set_up = True
        self._ready.set()

    def _gone(self, full: str) -> None:
        self._clients.gone(full)
        self._streams.gone(full)

    async def _tell_features(self) -> None:
        """XEP-0115: known before the first presence names them."""
        features = self._features
        with suppress(TimeoutError):
            async with asyncio.timeout(PROXY_LIMIT_S):
                if features >= SOCKS5 and await self._streams.meets_by_socks5():
                    features |= MET_BY_SOCKS5
        await tell_features(self._stream, self._settings.nick, features)

    def _message(self, stanza: Element) -> None:
        if stanza.get("type") == "error":
            self._bounced(stanza)
            return
        if any(each.took(stanza) for each in self._archives):
            return
        copy = received_copy(stanza, self.jid)
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
            self._handling.take(read, catch_up, archive_id)

    def _place(self, stanza: Element) -> tuple[CatchUp, str | None]:
        """Who looks after a message that has just come, and what its archive calls it."""
        if stanza.get("type") != "groupchat":
            # Where the server does not promise such ids, anybody can write one.
            return self._catch_up, (
                self._reader.archive_id(stanza, self.jid) if self._catch_up.is_on else None
            )
        sender = sender_of(stanza)
        catch_up = None if sender is None else self._room_catch_ups.of(sender.bare)
        if sender is None or catch_up is None or self._reader.is_past(stanza):
            return self._catch_up, None
        return catch_up, self._reader.archive_id(stanza, sender.bare)

    def _room_turn(self, room: BareJid, stanza: Element) -> Turn:
        return Turn(self._rooms.is_ours_in(room, stanza), room)

    def _missed(self, archived: Archived) -> bool:
        self._times.stamped(archived.at)
        return self._take_missed(archived, self._catch_up, None)

    def _missed_in_room(self, catch_up: CatchUp, room: BareJid, archived: Archived) -> bool:
        if self._rooms.is_ours_in(room, archived.message):
            catch_up.handled(archived.id, save=False)
            return False
        return self._take_missed(archived, catch_up, room)

    def _take_missed(self, archived: Archived, catch_up: CatchUp, room: BareJid | None) -> bool:
        now = asyncio.get_running_loop().time()
        read = self._reader.read(archived.message, now, archived_at=archived.at, archive=room)
        if isinstance(read, IncomingMessage):
            read = replace(read, maybe_handled=archived.answered)
        return self._handling.take(read, catch_up, archived.id)

    def _acknowledge(self, stanza: Element) -> None:
        """XEP-0184: only people who are served learn that the bot is there; rooms have no receipts."""
        sender, message_id = sender_of(stanza), stanza.get("id")
        if sender is None or not message_id or stanza.get("type") == "groupchat":
            return
        if first(stanza, RECEIPTS, "request") is None or self._rooms.is_ours(sender.bare):
            return
        if self._may_subscribe(sender.bare):
            self._messenger.acknowledge(sender, message_id, stanza.get("to", ""))

    def _bounced(self, stanza: Element) -> None:
        sender, message_id = sender_of(stanza), stanza.get("id", "")
        condition, kind = condition_of(stanza), error_type_of(stanza)
        log.info("a message to %s came back: %s", sender, condition)
        if sender is None:
            return
        if not self._rooms.is_ours(sender.bare):
            self._messenger.came_back(sender, message_id, condition)
            return
        # Errors with a nick can come from that occupant, who can make up any: they say nothing of the room,
        # but that this one was not answered.
        if not sender.resource:
            self._rooms.bounced(sender.bare, condition)
            self._flow.bounced(sender.bare, message_id, condition, kind)
        elif self._on_no_private is not None and self._flow.wants_none_aside(
            sender.full, message_id, condition, kind
        ):
            self._handling.start(self._on_no_private(sender.bare), "no private messages")

    def _unsent(self, message: Message) -> None:
        to = addressee(message)
        if to is not None and self._on_unsent is not None:
            self._handling.start(self._on_unsent(to, language_of(message.xml)), "unsent message")

    def _presence(self, stanza: Element) -> None:
        sender = sender_of(stanza)
        if sender is not None and self._rooms.is_ours(sender.bare):
            self._rooms.presence(sender.bare, stanza)
        elif not self._settings.passive:
            self._resources.presence(stanza)
            self._contacts.presence(stanza)

    def _stream_error(self, stanza: Element) -> None:
        self._connection.refuse(named_condition(stanza, STREAMS))


def _features(on_stream_offer: object | None, connections: object | None) -> frozenset[str]:
    if on_stream_offer is None:
        return FEATURES
    return FEATURES | IN_BAND | (SOCKS5 if connections is not None else frozenset())


async def _ignore(room: str, destroyed: bool) -> None:
    """Nobody remembers rooms."""


async def _refuse(request: FileRequest) -> None:
    await request.refuse("")


def _unwrapped(take: Callable[[Element], None]) -> Callable[[StanzaBase], None]:
    return lambda stanza: take(stanza.xml)
