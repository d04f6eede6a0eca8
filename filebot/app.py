"""The composition root: which adapter is plugged where, how the bot starts and how it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from filebot.catalog.examination import RESTORE, unusable
from filebot.chat.commands import Commands, LoadedPlugin
from filebot.chat.conversation import ReplySender
from filebot.chat.dispatcher import MessageDispatcher
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import RateLimits
from filebot.concurrency.cancelling import end
from filebot.concurrency.supervisor import run_supervised
from filebot.config import Config
from filebot.data_folder import CATALOG, DataFolder, open_data_folder
from filebot.delivery.worker import DeliveryWorker
from filebot.errors import CatalogDamaged, ConfigError, StorageError
from filebot.files.access import Access
from filebot.files.orphan_sweep import UnreferencedBlobs, forget_partials
from filebot.files.quota import Limits
from filebot.files.trusted_time import TrustedTime, look_every_hour
from filebot.filetype.inspector import LibmagicInspector
from filebot.model import IncomingMessage, Invitation
from filebot.plugin_loader import load, weaknesses
from filebot.ports import FileRequest, StreamOffer
from filebot.replies import Replies
from filebot.services import Ports, Services, build_services
from filebot.storage.folders import obstacle
from filebot.system.descriptors import MOST_SLOTS, Budget, budget, raise_limit
from filebot.system.ownership import weakness
from filebot.system.server_clock import ServerClock
from filebot.system.signals import stop_signals
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from filebot.transfer.http.resolver import NameLookup
from filebot.transfer.socks5.connections import ByteConnections, dials
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.session import EncryptedMessage, Session, SessionSettings, StreamLimits

log = logging.getLogger(__name__)

PATIENCE_S: Final = 20.0
"""How long a stop waits for what is being written."""


async def run(config: Config) -> int:
    """Run the bot until SIGTERM or SIGINT; returns the exit code.

    Raises ConfigError, LoginFailed, and what else keeps the bot from starting.
    """
    try:
        with stop_signals() as stop:
            async with assembled(config) as bot:
                await bot.serve(stop)
    except CatalogDamaged as error:
        place = config.data_dir / CATALOG
        raise ConfigError((f"data_dir: {place} is damaged: {error}; {RESTORE}",)) from error
    return 0


@dataclass(frozen=True, slots=True)
class Bot:
    """All parts of a bot, put together; not yet online."""

    session: Session
    reception: MessageDispatcher
    worker: DeliveryWorker

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
            await self.worker.close()
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
    reception: MessageDispatcher
    services: Services

    def on_online(person: str) -> None:
        services.worker.came_online(person)

    async def on_shut_out(room: str, destroyed: bool) -> None:
        await _forget_room(services, room, destroyed=destroyed)

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
        replies.load()
        make_data_dir(config.data_dir)
        # First: of a bot that cannot have its folder, the one line that says so is enough.
        data = await stack.enter_async_context(open_data_folder(config.data_dir))
        share = _share()
        names = NameLookup()
        clock = ServerClock()
        session = Session(
            replace(
                session_settings(config),
                archiving=replies.render(
                    "archive/status", config.replies.language, prefix=config.rooms.command_prefix
                ),
            ),
            on_message=on_message,
            on_encrypted=on_encrypted,
            on_invitation=on_invitation,
            on_stream_offer=on_stream_offer,
            on_file_request=on_file_request,
            on_online=on_online,
            on_no_private=on_no_private,
            on_unsent=lambda to, language: reception.receive_unsent(to, language),  # noqa: PLW0108  # made below
            on_shut_out=on_shut_out,
            connections=await _byte_connections(config, stack, share, names),
            stream_limits=StreamLimits(idle_s=config.limits.idle_timeout),
            may_subscribe=access.serves,
            unserved_reason=replies.render("errors/stranger", config.replies.language),
            positions=data.catalog,
            clock=clock,
            subscriptions=data.catalog,
        )
        http = http_client(config, names)
        loaded = [each.plugin.name for each in plugins]
        services = await _furnished(
            config, stack, session, access, data, http, share, clock=clock, plugins=loaded
        )
        await _expect_rooms(services, session)
        await services.room_settings.open()
        await services.history_importer.open()
        stack.push_async_callback(services.history_importer.close)
        stack.push_async_callback(services.announcer.close)
        await services.worker.open()
        stack.push_async_callback(services.worker.close)
        commands = Commands(
            plugins,
            services,
            ReplySender(
                services.ports.messenger, replies, data.catalog, prefix=config.rooms.command_prefix
            ),
        )
        reception = MessageDispatcher(commands, services, _rate_limits(config))
        works: dict[str, Callable[[], Awaitable[object]]] = {
            "the care for files without an entry": partial(
                UnreferencedBlobs(
                    data.store, data.catalog, services.locks, config.limits.keep_unreferenced
                ).run,
                data.unreferenced,
            ),
            "progress": ProgressReports(services.transfers, commands.reply_sender).run,
            "the courier": services.worker.run,
            "retention": services.retention.run,
            "the removal of old partial files": partial(
                look_every_hour,
                partial(
                    forget_partials, data.store, services.ports.trusted_now, config.limits.keep_partial
                ),
            ),
        }
        for name, work in works.items():
            task: asyncio.Task[object] = asyncio.create_task(run_supervised(work, name), name=name)
            stack.push_async_callback(end, [task])
        yield Bot(session, reception, services.worker)


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
    elif (reason := unusable(catalog := config.data_dir / CATALOG)) is not None:
        mistakes.append(f"data_dir: {catalog} {reason}")
    try:
        replies = Replies(config.replies.language, config.replies.templates)
    except ConfigError as error:
        mistakes += error.mistakes
        replies = Replies()
    wanted = config.plugins
    weak = [f"plugins.paths: {reason}" for reason in weaknesses(wanted.paths)]
    if (reason := weakness(config.data_dir)) is not None:
        weak.append(f"data_dir: {reason}")
    if weak:
        # Nothing of these folders is run, not even to see what else is wrong.
        raise ConfigError((*mistakes, *weak))
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


async def _expect_rooms(services: Services, session: Session) -> None:
    """The remembered ones, but for those of people whose word does not count any more."""
    for room in await services.ports.catalog.rooms():
        if room.invited_by is None or services.access.may_invite(room.invited_by):
            session.rooms.expect(room.jid, room.password, room.invited_by)
        else:
            log.warning("not going to %s: %s may not invite any more", room.jid, room.invited_by)


async def _forget_room(services: Services, room: str, *, destroyed: bool) -> None:
    try:
        if destroyed:
            await services.destroyed_rooms.release(room)
        else:
            await services.room_settings.stop_archiving(room)
        await services.ports.catalog.forget_room(room)
    except StorageError as error:
        log.warning("room %s is not forgotten: %s", room, error)


async def _furnished(
    config: Config,
    stack: AsyncExitStack,
    session: Session,
    access: Access,
    data: DataFolder,
    http: HttpClient,
    share: Budget,
    *,
    clock: ServerClock,
    plugins: Collection[str],
) -> Services:
    await stack.enter_async_context(http)
    ports = Ports(
        store=data.store,
        catalog=data.catalog,
        http=http,
        inspector=LibmagicInspector(),
        uploads=session.uploads,
        messenger=session.messenger,
        rooms=session.rooms,
        histories=session.histories,
        streams=session.streams,
        clock=clock,
        trusted_now=TrustedTime(session.server_time.read, clock.machine).now,
        jid=session.jid,
        server=session.server,
    )
    return build_services(ports, access, storage_limits(config), plugins, slots=share.slots)


def storage_limits(config: Config) -> Limits:
    """How much the config lets people store."""
    limits = config.limits
    return Limits(limits.max_file_size, limits.quota_per_user, limits.total, limits.quota_per_room)


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


def http_client(config: Config, names: NameLookup | None = None) -> HttpClient:
    """A client under the config's address policy, which trusts the same certificates as the session."""
    return HttpClient(
        address_policy(config),
        ca_file=config.xmpp.ca_file,
        idle_s=config.limits.idle_timeout,
        names=names,
    )


def _rate_limits(config: Config) -> RateLimits:
    return RateLimits(config.limits.files_per_message, config.limits.commands_per_minute)


def _share() -> Budget:
    """Return how many files and connections the file descriptors of this process are enough for."""
    limit = raise_limit()
    share = budget(limit)
    level = logging.WARNING if share.slots < MOST_SLOTS else logging.INFO
    log.log(level, "%d file descriptors: %d files at once in each direction", limit, share.slots)
    return share


async def _byte_connections(
    config: Config, stack: AsyncExitStack, share: Budget, names: NameLookup
) -> ByteConnections:
    """SOCKS5 connections to others, and from others if the config says where they reach us."""
    streams, listener = config.bytestreams, None
    if streams.addresses:
        try:
            listener = await stack.enter_async_context(
                Listener(streams.bind, streams.port, share.handshakes)
            )
        except OSError as error:
            place = f"{streams.bind} port {streams.port}"
            raise ConfigError((f"bytestreams: cannot listen at {place}: {error.strerror}",)) from error
    return ByteConnections(
        address_policy(config),
        config.limits.idle_timeout,
        listener,
        streams.addresses,
        names,
        dials(share.dials),
    )
