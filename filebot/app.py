"""The composition root: which adapter is plugged where, how the bot starts and how it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from filebot.adapters import (
    access_rules,
    byte_connections,
    descriptor_budget,
    file_inspector,
    file_scanners,
    http_client,
    rate_limits,
    session_settings,
    storage_limits,
    url_sources,
)
from filebot.chat.assembly import Chat, build_lifespans, http_factory
from filebot.chat.command_words import command_words
from filebot.chat.dispatcher import MessageDispatcher
from filebot.chat.reloader import Reloader
from filebot.concurrency.loop_watch import watched_loop
from filebot.concurrency.tasks import Tasks, race, run_supervised
from filebot.config import Config
from filebot.data_folder import DataFolder, open_data_folder
from filebot.delivery.worker import DeliveryWorker
from filebot.files.access import Access
from filebot.files.orphan_sweep import UnreferencedBlobs, forget_partials
from filebot.files.trusted_time import TrustedTime, look_every_hour
from filebot.jobs.worker import JobWorker
from filebot.model import BareJid
from filebot.plugin_files import PluginFiles
from filebot.plugin_loader import presence_notes, room_settings, with_lifespans, with_tables
from filebot.ports import Inspector, UrlSource
from filebot.preflight import configured_backends, make_data_dir, prepared
from filebot.reload import ConfigSource, reload_on
from filebot.services import Ports, Services, build_services
from filebot.system.server_clock import ServerClock
from filebot.system.signals import Signals, received_signals
from filebot.transfer.http.client import HttpClient
from filebot.transfer.http.resolver import NameLookup
from filebot.xmpp.session import Handlers, StreamHandlers, StreamLimits, XmppSession

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S: Final = 20.0
"""How long a stop waits for what is being written."""
JOBS_TIMEOUT_S: Final = 5.0
"""How long a stop waits for listeners at once, and for jobs; the next start does again what was cut off of
these."""


async def run(config: Config, read_config: Callable[[], Config]) -> int:
    """Run the bot until SIGTERM or SIGINT; returns the exit code.

    SIGHUP and the command ``reload`` put what ``read_config`` returns into force.

    Raises ConfigError, LoginFailed, and what else keeps the bot from starting.
    """
    with received_signals() as signals:
        async with assembled(config, read_config) as bot:
            with watched_loop():
                await bot.serve(signals)
    return 0


@dataclass(frozen=True, slots=True)
class Bot:
    """All parts of a bot, put together; not yet online."""

    session: XmppSession
    worker: DeliveryWorker
    jobs: JobWorker
    reloader: Reloader

    @property
    def dispatcher(self) -> MessageDispatcher:
        """The dispatcher in force, which a reload replaces."""
        return self.reloader.chat.dispatcher

    async def serve(self, signals: Signals) -> None:
        """Be online until it is to stop; then finish what is being written and say good-bye.

        Raises LoginFailed.
        """
        try:
            await race(self._stay_online(signals.reload), _is_set(signals.stop))
        finally:
            log.info("stopping")
            await self.dispatcher.close(timeout_s=SHUTDOWN_TIMEOUT_S)
            await self.reloader.chat.at_once.close(timeout_s=JOBS_TIMEOUT_S)
            await self.jobs.close(timeout_s=JOBS_TIMEOUT_S)
            await self.worker.close()
            await self.session.stop()

    async def _stay_online(self, reload: asyncio.Event) -> None:
        log.info("ready as %s", await self.session.run_until_ready())
        # Only now: jobs speak to people.
        await race(
            self.session.ended(),
            run_supervised(self.jobs.run, "jobs"),
            reload_on(reload, self.reloader),
        )


async def _is_set(event: asyncio.Event) -> None:
    await event.wait()


@asynccontextmanager
async def assembled(config: Config, read_config: Callable[[], Config]) -> AsyncIterator[Bot]:
    """Open everything in the order of need; it is closed the other way round."""
    async with AsyncExitStack() as stack:
        files, left_out = PluginFiles(), list[str]()
        replies, loaded = prepared(config, files=files, left_out=left_out.append)
        for line in left_out:
            log.error("%s", line)
        replies.load()
        make_data_dir(config.data_dir)
        # First: of a bot that cannot have its folder, the one line that says so is enough.
        backends = configured_backends(config)
        data = await stack.enter_async_context(
            open_data_folder(config.data_dir, backends.store, config.limits.idle_timeout)
        )
        inspector = await file_inspector(backends, config, stack)
        plugins = await with_tables(loaded, data.catalog.plugin_tables)
        share, names, clock = descriptor_budget(), NameLookup(), ServerClock()
        http = await stack.enter_async_context(http_client(config, names))
        http_of = http_factory(http)
        lifespans = build_lifespans(plugins, data.catalog, clock, http_of)
        stack.push_async_callback(lifespans.close)
        plugins = await with_lifespans(plugins, lifespans)
        access = Access()
        access.use(access_rules(config))
        streams = StreamHandlers()
        handlers = Handlers(is_served=access.serves, streams=streams)
        session = XmppSession(
            session_settings(config),
            handlers,
            connections=await byte_connections(config, stack, share, names),
            stream_limits=StreamLimits(idle_s=config.limits.idle_timeout),
            unserved_reason=replies.render("errors/stranger", config.replies.language),
            positions=data.catalog,
            clock=clock,
            subscriptions=data.catalog,
        )
        settable = room_settings(plugins, config.plugins.disabled)
        services = build_services(
            _ports(session, data, inspector, http, url_sources(config, http, names), clock),
            access,
            storage_limits(config),
            settable,
            presence_notes(settable, replies, config.replies.language, config.rooms.command_prefix),
            slots=share.slots,
            # The other side of a stream waits meanwhile.
            checks_limit_s=config.limits.idle_timeout / 2,
            scanners=await file_scanners(backends, config, stack),
        )
        await _open(services, stack)
        source = ConfigSource(
            read_config,
            config,
            files,
            data.catalog.plugin_tables,
            left_out=left_out,
            unusable={each.plugin for each in loaded}.difference(each.plugin for each in plugins),
        )
        reloader = Reloader(source, services, http_of)
        chat = reloader.begin(plugins, replies, rate_limits(config), lifespans, config.rooms.command_prefix)
        stack.push_async_callback(reloader.close)
        stack.push_async_callback(partial(chat.at_once.close, timeout_s=0.0))
        # Now that there is somebody to hear of the files of destroyed rooms, and no room is entered yet.
        await services.membership.open()
        await _expect_rooms(services, session)
        _set_services(handlers, services)
        reloader.replaced = partial(_set_chat, handlers, streams)
        reloader.replaced(chat)
        reloader.words_replaced = session.use_words
        works = _background_work(config, services, data, chat)
        tasks = Tasks(len(works))
        stack.push_async_callback(tasks.close)
        for name, work in works.items():
            tasks.start(run_supervised(work, name), name)
        yield Bot(session, services.worker, services.jobs, reloader)


def _set_chat(handlers: Handlers, streams: StreamHandlers, chat: Chat) -> None:
    dispatcher = chat.dispatcher
    streams.offer, streams.request = chat.stream_offers.receive, dispatcher.receive_request
    handlers.message = dispatcher.receive
    handlers.encrypted = dispatcher.receive_encrypted
    handlers.invitation = dispatcher.receive_invitation
    handlers.subscribed = dispatcher.receive_subscription
    handlers.reaction = dispatcher.receive_reaction
    handlers.retraction = dispatcher.receive_retraction
    handlers.no_private = dispatcher.receive_no_private
    handlers.unsent = dispatcher.receive_unsent
    handlers.commands = chat.command_forms
    handlers.command_words = partial(command_words, chat.channel)


def _set_services(handlers: Handlers, services: Services) -> None:
    def came_online(person: BareJid) -> None:
        services.worker.came_online(person)
        services.people_online.came_online(person)

    handlers.online = came_online
    handlers.bounced = services.delivery.bounces.bounced
    handlers.shut_out = services.membership.shut_out
    handlers.posted = services.shown_files.posted


def _ports(
    session: XmppSession,
    data: DataFolder,
    inspector: Inspector,
    http: HttpClient,
    sources: UrlSource,
    clock: ServerClock,
) -> Ports:
    return Ports(
        store=data.store,
        catalog=data.catalog,
        http=http,
        sources=sources,
        inspector=inspector,
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


async def _expect_rooms(services: Services, session: XmppSession) -> None:
    """Go to the remembered rooms, but for those of people whose word does not count any more."""
    for room in await services.ports.catalog.rooms():
        if room.invited_by is None or services.access.may_invite(room.invited_by):
            session.rooms.expect(room.jid, room.password, room.invited_by)
        else:
            log.warning("not going to %s: %s may not invite any more", room.jid, room.invited_by)


async def _open(services: Services, stack: AsyncExitStack) -> None:
    """Open the services that keep state or own tasks; they are closed with ``stack``."""
    await services.shown_files.open()
    await services.room_settings.open()
    await services.proven_occupants.open()
    stack.push_async_callback(services.membership.close)
    stack.push_async_callback(services.people_online.close)
    await services.worker.open()
    stack.push_async_callback(services.worker.close)
    stack.push_async_callback(partial(services.jobs.close, timeout_s=0.0))


def _background_work(
    config: Config, services: Services, data: DataFolder, chat: Chat
) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return what goes on as long as the bot does, by the names that the log has for it."""
    unreferenced = UnreferencedBlobs(
        data.store, data.catalog, data.catalog, services.locks, config.limits.keep_unreferenced
    )
    forget = partial(forget_partials, data.store, services.ports.trusted_now, config.limits.keep_partial)
    return {
        "the removal of unreferenced files": partial(unreferenced.run, data.unreferenced),
        "progress messages": chat.progress_reports.run,
        "delivery": services.worker.run,
        "the removal of old partial files": partial(look_every_hour, forget),
    }
