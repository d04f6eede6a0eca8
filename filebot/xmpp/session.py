"""One session on an XMPP server: its wiring, its start and its end.

``connection`` keeps the stream online, ``messages`` reads messages and routes them, ``presence`` and
``rooms`` answer presences; ``messenger``, ``uploads``, ``rooms``, ``histories`` and ``streams`` are the
ports on it.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self
from xml.etree.ElementTree import Element

from filebot.concurrency.tasks import Tasks, end
from filebot.model import BareJid
from filebot.ports import Cursors, Subscriptions
from filebot.protocol.stanza_error import stream_condition
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
from filebot.xmpp.bytestreams.socks5_ports import Socks5Connector
from filebot.xmpp.commands.adhoc import AdHocCommands
from filebot.xmpp.connection.account import Account
from filebot.xmpp.connection.disco_features import BY_FORMS, FEATURES, IN_BAND, MET_BY_SOCKS5, SOCKS5
from filebot.xmpp.connection.reconnect import StreamKeeper
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import ClientStream
from filebot.xmpp.connection.stream_setup import build, tell_features
from filebot.xmpp.handlers import Handlers, StreamHandlers
from filebot.xmpp.http_upload import UploadSlots
from filebot.xmpp.messages.bounces import Bounces
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.messages.reader import Reader
from filebot.xmpp.messages.router import MOST_HANDLERS, MessageRouter
from filebot.xmpp.presence.online_clients import OnlineClients
from filebot.xmpp.presence.subscriptions import Contacts
from filebot.xmpp.profile.publisher import ProfilePublisher
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.rooms.room_sender import RoomSender
from filebot.xmpp.streams import PeerStreams
from filebot.xmpp.xml import sender_of

__all__ = [
    "Handlers",
    "SessionSettings",
    "StreamHandlers",
    "StreamLimits",
    "StreamWords",
    "XmppSession",
]

log = logging.getLogger(__name__)

ROOMS_LIMIT_S: Final = 20.0
CLOSE_LIMIT_S: Final = 2.0
PROXY_LIMIT_S: Final = 3.0
"""How long the first presence waits to learn whether there is a proxy."""


class XmppSession:
    """Online from :meth:`start` to :meth:`stop`; use it as a context to be sure of the latter.

    To be made and used in one event loop.
    """

    def __init__(
        self,
        settings: SessionSettings,
        handlers: Handlers,
        *,
        unserved_reason: str = "",
        connections: Socks5Connector | None = None,
        stream_limits: StreamLimits | None = None,
        stream_words: StreamWords | None = None,
        positions: Cursors | None = None,
        clock: ServerClock | None = None,
        subscriptions: Subscriptions | None = None,
        most_attempts: int | None = None,
    ) -> None:
        """``unserved_reason`` is for people who are not served.

        SOCKS5 is announced to others only if there are ``connections``.

        With ``positions`` an account goes through its message archive (XEP-0313) in each new session, and
        in each new stay through those of rooms that keep files, from the last message on before which all
        were handled; without, it knows only what its server delivers. A message is handled when its handler
        has returned, or has failed, but not when it was cancelled.

        ``clock`` is set by the time of the server.

        With ``subscriptions`` a component is seen by its contacts after a restart, too.

        With ``most_attempts`` a server that was never reached is given up after so many.
        """
        self._settings = settings
        self._features = _features(handlers, connections)
        self._stream = stream = build(settings, self._features)
        clock = clock or ServerClock()
        self._account = Account(stream)
        self._uploads = UploadSlots(stream)
        self._times = ServerTimes(stream, clock)
        self._connection = StreamKeeper(stream, settings, self._online, most_attempts)
        router: MessageRouter

        def missed_in_room(catch_up: CatchUp, room: BareJid, archived: Archived) -> bool:
            return router.missed_in_room(catch_up, room, archived)

        def missed(archived: Archived) -> bool:
            return router.missed(archived)

        def room_turn(room: BareJid, stanza: Element) -> Turn:
            return router.room_turn(room, stanza)

        async def shut_out(room: BareJid, destroyed: bool) -> None:
            await handlers.shut_out(room, destroyed)

        def came_online(person: BareJid) -> None:
            handlers.online(person)

        self._room_catch_ups = RoomCatchUps(stream, positions, missed_in_room, room_turn, clock)
        self._rooms = JoinedRooms(stream, settings, self._room_catch_ups, shut_out)
        self._room_sender = RoomSender(self._rooms.until_in)
        self._clients = OnlineClients(stream, handlers.is_served, self._gone, came_online)

        async def subscribed(person: BareJid, own: BareJid, language: str | None) -> None:
            if handlers.subscribed is not None:
                await handlers.subscribed(person, own, language)

        self._contacts = Contacts(
            stream, settings, handlers.is_served, unserved_reason, subscriptions, subscribed
        )
        self._messenger = StreamMessenger(
            stream,
            self._clients.all_correct,
            self._rooms.is_same_occupant,
            self._room_sender,
            self._clients.is_there,
            self._contacts.known_as,
        )
        self._streams = PeerStreams(
            stream,
            self._rooms,
            self._clients,
            handlers.is_served,
            handlers.streams,
            connections=connections,
            limits=stream_limits,
            words=stream_words or StreamWords(unserved=unserved_reason),
        )
        bare, component = stream.boundjid.bare, stream.is_component
        self._catch_up = CatchUp(
            stream,
            bare,
            # Servers keep messages for accounts; rooms keep theirs for whoever is in them.
            None if component else positions,
            missed,
            partial(private_turn, bare),
            gives_ids=self._account.gives_archive_ids,
            clock=clock,
        )
        self._reader = reader = Reader(
            bare, self._rooms, settings.command_prefix, settings.nick, whole_domain=component
        )
        self._commands = AdHocCommands(
            self._streams.fast_path,
            handlers,
            reader,
            self._rooms.nick_in,
            self._messenger,
            settings.name,
            is_same_occupant=self._rooms.is_same_occupant,
            software=lambda full: self._clients.known(full).software,
        )
        self._profile = ProfilePublisher(stream, settings.profile, self._streams.fast_path)
        self._histories = RoomHistories(stream, reader.author, self._rooms.is_ours_in, self._rooms.joined)
        sent = SentMessages(stream)
        if isinstance(stream, ClientStream):
            stream.resender.find_lost = sent.lost
        tasks = Tasks(MOST_HANDLERS)
        bounces = Bounces(self._rooms, self._room_sender, self._messenger, tasks, handlers)
        stream.on_unsent = bounces.unsent
        self._router = router = MessageRouter(
            stream,
            reader,
            self._rooms,
            self._messenger,
            bounces=bounces,
            catch_up=self._catch_up,
            room_catch_ups=self._room_catch_ups,
            times=self._times,
            sent=sent,
            tasks=tasks,
            handlers=handlers,
        )
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._is_set_up = False
        stream.listen(f"{{{stream.default_ns}}}message", router.live)
        stream.listen(f"{{{stream.default_ns}}}presence", self._presence)
        stream.listen(f"{{{stream.stream_ns}}}error", self._stream_error)

    def use_words(self, command_prefix: str, unserved_reason: str) -> None:
        """Take these in place of those so far; what was read already stays as it is."""
        self._reader.command_prefix = self._rooms.prefix = command_prefix
        self._contacts.unserved_reason = unserved_reason
        self._streams.say_to_unserved(unserved_reason)

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
        return self._stream.server_domain

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
        await self._router.close()
        await self._commands.close()
        await self._contacts.close()
        await self._catch_up.close()
        await self._room_catch_ups.close()
        await self._streams.close()
        await self._room_sender.close()
        if self._ready.is_set() and self._stream.is_connected():
            await self._rooms.say_goodbye(self._settings.goodbye)
            if not self._settings.passive:
                await self._contacts.say_goodbye(self._settings.goodbye)
            await self._stream.drain(CLOSE_LIMIT_S)
            await self._stream.close(CLOSE_LIMIT_S)
        if running is not None:
            await end([running])
        await self._rooms.forget()
        await self._stream.close(0.0)

    # --- the stream -----------------------------------------------------------------------------

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
        self._clients.forget()
        if not self._settings.passive:
            await self._account.enter()
            await self._profile.publish()
        await self._tell_features()
        if not self._settings.passive:
            await self._account.become_available(self._catch_up, self._contacts.show)
        await self._rooms.enter()
        await self._catch_up.start()
        self._is_set_up = True
        self._ready.set()

    def _gone(self, full: str) -> None:
        self._streams.gone(full)

    async def _tell_features(self) -> None:
        """XEP-0115: known before the first presence names them."""
        features = self._features | (BY_FORMS if self._commands.are_there else frozenset())
        with suppress(TimeoutError):
            async with asyncio.timeout(PROXY_LIMIT_S):
                if features >= SOCKS5 and await self._streams.meets_by_socks5():
                    features |= MET_BY_SOCKS5
        await tell_features(self._stream, self._settings.name, features)

    def _presence(self, stanza: Element) -> None:
        sender = sender_of(stanza)
        if sender is not None and sender.bare in self._rooms.addresses:
            self._rooms.presence(sender.bare, stanza)
        elif not self._settings.passive:
            self._clients.presence(stanza)
            self._contacts.presence(stanza)

    def _stream_error(self, stanza: Element) -> None:
        self._connection.refuse(stream_condition(stanza))


def _features(handlers: Handlers, connections: object | None) -> frozenset[str]:
    if handlers.streams is None:
        return FEATURES
    return FEATURES | IN_BAND | (SOCKS5 if connections is not None else frozenset())
