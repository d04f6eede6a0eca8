"""The composition root: which adapter is plugged where, how the bot starts and how it ends."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from filebot.catalog import open_catalog
from filebot.commands import Commands, LoadedPlugin
from filebot.config import Config
from filebot.conversation import Voice
from filebot.errors import ConfigError, StorageError
from filebot.lasting import lasting
from filebot.loader import load
from filebot.mime import LibmagicInspector
from filebot.model import IncomingMessage, Invitation
from filebot.ports import BlobStore, Catalog, FileRequest, StreamOffer
from filebot.progress import ProgressReports
from filebot.reception import Reception
from filebot.replies import Replies
from filebot.service.access import Access
from filebot.service.cleanup import sweep
from filebot.service.courier import Courier
from filebot.service.desk import Desk, Ports, furnished
from filebot.service.pace import Pace
from filebot.service.quota import Limits
from filebot.service.tasks import end
from filebot.storage.disk import DiskStore
from filebot.storage.folders import obstacle
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.byte_connections import ByteConnections
from filebot.transfer.http import HttpClient
from filebot.transfer.socks5_listener import Listener
from filebot.xmpp.session import EncryptedMessage, Session, SessionSettings, StreamLimits

log = logging.getLogger(__name__)

PATIENCE_S: Final = 20.0
"""How long a stop waits for what is being written."""


async def run(config: Config) -> int:
    """Run the bot until SIGTERM or SIGINT; returns the exit code.

    Raises ConfigError, LoginFailed, and what else keeps the bot from starting.
    """
    with _stop_signals() as stop:
        async with assembled(config) as bot:
            await bot.serve(stop)
    return 0


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. Afterwards they are ignored: the process is about to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


@dataclass(frozen=True, slots=True)
class Bot:
    """All parts of a bot, put together; not yet online."""

    session: Session
    reception: Reception
    courier: Courier

    async def serve(self, stop: asyncio.Event) -> None:
        """Be online until ``stop`` is set; then finish what is being written and say good-bye.

        Raises LoginFailed.
        """
        running = asyncio.create_task(self._stay_online())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            log.info("stopping")
            for task in (running, stopping):
                task.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)
            await self.reception.close(patience_s=PATIENCE_S)
            await self.courier.close()
            await self.session.stop()

    async def _stay_online(self) -> None:
        log.info("ready as %s", await self.session.run_until_ready())
        await self.session.ended()


@asynccontextmanager
async def assembled(config: Config) -> AsyncIterator[Bot]:
    """Open everything in the order of need; it is closed the other way round."""
    access = Access(
        admins=config.access.admins,
        allow=config.access.allow,
        deny=config.access.deny,
        invitations=config.rooms.invitations,
    )
    reception: Reception
    desk: Desk

    def on_online(person: str) -> None:
        desk.courier.came_online(person)

    async def on_shut_out(room: str, destroyed: bool) -> None:
        await _forget_room(desk, room, destroyed=destroyed)

    async def on_message(message: IncomingMessage) -> None:
        await reception.receive(message)

    async def on_encrypted(message: EncryptedMessage) -> None:
        await reception.receive_encrypted(message.sender, message.device, message.language)

    async def on_invitation(invitation: Invitation) -> None:
        await reception.receive_invitation(invitation)

    async def on_no_private(room: str) -> None:
        await reception.receive_no_private(room)

    async def on_stream_offer(offer: StreamOffer) -> None:
        await reception.receive_stream(offer)

    async def on_file_request(request: FileRequest) -> None:
        await reception.receive_request(request)

    async with AsyncExitStack() as stack:
        replies, plugins = prepared(config)
        make_data_dir(config.data_dir)
        catalog = await stack.enter_async_context(open_catalog(config.data_dir / "catalog.sqlite"))
        session = Session(
            replace(
                session_settings(config),
                archiving=replies.render("archive/status", config.replies.language),
            ),
            on_message=on_message,
            on_encrypted=on_encrypted,
            on_invitation=on_invitation,
            on_stream_offer=on_stream_offer,
            on_file_request=on_file_request,
            on_online=on_online,
            on_no_private=on_no_private,
            on_shut_out=on_shut_out,
            connections=await _byte_connections(config, stack),
            stream_limits=StreamLimits(idle_s=config.limits.idle_timeout),
            may_subscribe=access.serves,
            unserved_reason=replies.render("errors/stranger", config.replies.language),
            marks=catalog,
            subscriptions=catalog,
        )
        desk = await _furnished(config, stack, session, access, catalog)
        await _expect_rooms(desk, session)
        await desk.book.open()
        await desk.backfill.open()
        stack.push_async_callback(desk.backfill.close)
        stack.push_async_callback(desk.announcer.close)
        await desk.courier.open()
        stack.push_async_callback(desk.courier.close)
        commands = Commands(plugins, desk, Voice(desk.ports.messenger, replies, catalog))
        reception = Reception(commands, desk, _pace(config))
        works: dict[str, Callable[[], Awaitable[object]]] = {
            "the search for blobs without a row": partial(
                sweep, desk.ports.store, desk.ports.catalog, desk.locks
            ),
            "progress": ProgressReports(desk.transfers, commands.voice).run,
            "the courier": desk.courier.run,
            "retention": desk.retention.run,
            "the removal of old partial files": partial(
                _forget_partials, desk.ports.store, config.limits.keep_partial
            ),
        }
        for name, work in works.items():
            task: asyncio.Task[object] = asyncio.create_task(lasting(work, name), name=name)
            stack.push_async_callback(end, [task])
        yield Bot(session, reception, desk.courier)


def prepared(
    config: Config, left_out: Callable[[str], None] = log.error
) -> tuple[Replies, list[LoadedPlugin]]:
    """Go through the whole config as far as that leaves no traces; returns words and plugins.

    ``left_out`` is told, in a line each, of the plugins of others that cannot be used. Raises ConfigError
    with every mistake.
    """
    mistakes: list[str] = []
    plugins: list[LoadedPlugin] = []
    reason = obstacle(config.data_dir)
    if reason is not None:
        mistakes += _unwritable(config.data_dir, reason).mistakes
    try:
        replies = Replies(config.replies.language, config.replies.templates)
    except ConfigError as error:
        mistakes += error.mistakes
        replies = Replies()
    wanted = config.plugins
    try:
        plugins = load(
            wanted.settings, replies, disabled=wanted.disabled, paths=wanted.paths, left_out=left_out
        )
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return replies, plugins


def make_data_dir(folder: Path) -> None:
    """Make it if it is missing, readable by the bot alone. Raises ConfigError if it cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error


def _unwritable(folder: Path, reason: str) -> ConfigError:
    return ConfigError((f"data_dir: {folder} cannot be written: {reason}; correct the path or its rights",))


async def _expect_rooms(desk: Desk, session: Session) -> None:
    """The remembered ones, but for those of people whose word does not count any more."""
    for room in await desk.ports.catalog.rooms():
        if room.invited_by is None or desk.access.may_invite(room.invited_by):
            session.rooms.expect(room.jid, room.password, room.invited_by)
        else:
            log.warning("not going to %s: %s may not invite any more", room.jid, room.invited_by)


async def _forget_room(desk: Desk, room: str, *, destroyed: bool) -> None:
    try:
        if destroyed:
            await desk.ended_rooms.release(room)
        else:
            await desk.book.stop_archiving(room)
        await desk.ports.catalog.forget_room(room)
    except StorageError as error:
        log.warning("room %s is not forgotten: %s", room, error)


async def _furnished(
    config: Config, stack: AsyncExitStack, session: Session, access: Access, catalog: Catalog
) -> Desk:
    store = await DiskStore.open(config.data_dir)
    stack.push_async_callback(store.close)
    http = await stack.enter_async_context(http_client(config))
    ports = Ports(
        store=store,
        catalog=catalog,
        http=http,
        inspector=LibmagicInspector(),
        uploads=session.uploads,
        messenger=session.messenger,
        rooms=session.rooms,
        histories=session.histories,
        streams=session.streams,
        clock=now,
        jid=session.jid,
        server=session.server,
    )
    limits = Limits(
        config.limits.max_file_size,
        config.limits.quota_per_user,
        config.limits.total,
        config.limits.quota_per_room,
    )
    return furnished(ports, access, limits)


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def session_settings(config: Config) -> SessionSettings:
    """What the config says of account, server and rooms."""
    xmpp = config.xmpp
    return SessionSettings(
        jid=xmpp.jid,
        password=xmpp.password.get_secret_value(),
        mode=xmpp.mode,
        host=xmpp.host,
        port=xmpp.port,
        ca_file=xmpp.ca_file,
        nick=xmpp.nick,
        rooms=config.rooms.join,
        command_prefix=config.rooms.command_prefix,
    )


def address_policy(config: Config) -> AddressPolicy:
    """Where the bot may connect to for somebody else's sake."""
    return AddressPolicy(config.network.allow_insecure, config.network.allow_private)


def http_client(config: Config) -> HttpClient:
    """A client under the config's address policy, which trusts the same certificates as the session."""
    return HttpClient(
        address_policy(config), ca_file=config.xmpp.ca_file, idle_s=config.limits.idle_timeout
    )


def _pace(config: Config) -> Pace:
    return Pace(config.limits.files_per_message, config.limits.commands_per_minute)


async def _forget_partials(store: BlobStore, older_than_s: float) -> None:
    """Now and every hour, for ever."""
    while True:
        await store.forget_partials(older_than_s)
        await asyncio.sleep(3600)


async def _byte_connections(config: Config, stack: AsyncExitStack) -> ByteConnections:
    """SOCKS5 connections to others, and from others if the config says where they reach us."""
    streams, listener = config.bytestreams, None
    if streams.addresses:
        try:
            listener = await stack.enter_async_context(Listener(streams.bind, streams.port))
        except OSError as error:
            place = f"{streams.bind} port {streams.port}"
            raise ConfigError((f"bytestreams: cannot listen at {place}: {error.strerror}",)) from error
    return ByteConnections(address_policy(config), config.limits.idle_timeout, listener, streams.addresses)
