"""Assembly of the chat package on the services, for the bot and for the fake bot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from filebot.chat.dispatcher import MessageDispatcher
from filebot.chat.event_recorder import EventRecorder
from filebot.chat.file_requests import FileRequests
from filebot.chat.invitations import Invitations
from filebot.chat.plugin_jobs import works_of
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import RateLimits, Workload
from filebot.chat.room_posts import RoomPosts
from filebot.chat.stream_offers import StreamOffers
from filebot.concurrency.locks import FairSemaphore
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import BareJid, Sender
from filebot.plugin.asking import by_act
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.authorization import Authorization
from filebot.plugin.blocking import BlockingWork
from filebot.plugin.calls import PluginCalls
from filebot.plugin.context import Factories
from filebot.plugin.conversation import Channel, ChatState
from filebot.plugin.declare import LoadedPlugin, commands_of, filters_of
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.files import Files
from filebot.plugin.finding import Finding
from filebot.plugin.http import PLACES, Http
from filebot.plugin.jobs import Jobs, JobServices
from filebot.plugin.lifespan import LifeServices, Lifespans
from filebot.plugin.own_data import OwnData
from filebot.plugin.people import People
from filebot.plugin.room_files import FilesOfRoom
from filebot.plugin.rooms import RoomAccess, RoomLine
from filebot.ports import Catalog, HttpTransfer
from filebot.replies import Replies
from filebot.replies.renderer import ReplySender
from filebot.services import Services


@dataclass(frozen=True, slots=True)
class Chat:
    """Parts of the chat package that the composition root runs."""

    dispatcher: MessageDispatcher
    stream_offers: StreamOffers
    progress_reports: ProgressReports
    at_once: CallsAtOnce
    people: People


def job_factory(
    plugins: Sequence[LoadedPlugin], services: JobServices
) -> Callable[[str, OnBehalfOf | None], Jobs]:
    """Return the maker of each plugin's own jobs."""
    codecs = {
        each.plugin.name: {job.name: job.codec for job in each.plugin.jobs.values()} for each in plugins
    }
    return lambda plugin, by: Jobs(services, plugin, codecs[plugin], by)


def http_factory(transfer: HttpTransfer) -> Callable[[str], Http]:
    """Return the maker of each plugin's HTTP client. All of them share their places."""
    places = FairSemaphore(PLACES)
    return lambda plugin: Http(transfer, places, plugin)


def build_lifespans(
    plugins: Sequence[LoadedPlugin],
    catalog: Catalog,
    clock: Callable[[], datetime],
    http_of: Callable[[str], Http],
) -> Lifespans:
    """Return the owner of the plugins' lifespans. To be opened before the services are built."""
    jobs_of = job_factory(plugins, JobServices(catalog.jobs, clock))
    own_data = partial(OwnData, catalog)
    return Lifespans(
        LifeServices(own_data, lambda plugin: jobs_of(plugin, None), http_of, clock, BlockingWork())
    )


def build_chat(
    services: Services,
    plugins: Sequence[LoadedPlugin],
    replies: Replies,
    limits: RateLimits,
    command_prefix: str = "!",
    *,
    lifespans: Lifespans,
    http_of: Callable[[str], Http],
) -> Chat:
    """Build all that stands between messages and services. Call it in a running event loop."""
    ports, events, workload = services.ports, services.events, Workload(limits)
    commands = commands_of(plugins)

    def is_command(word: str) -> bool:
        return commands.named(word) is not None

    reply_sender = ReplySender(
        ports.messenger,
        replies,
        ports.catalog,
        prefix=command_prefix,
        is_command=None if all(map(is_command, replies.hinted_commands())) else is_command,
    )
    channel = Channel(reply_sender, events, ChatState(shown_files=services.shown_files))
    finding = Finding(
        filters_of(plugins),
        [each for loaded in plugins for each in loaded.plugin.resolvers],
        plugins=frozenset(each.plugin.name for each in plugins),
        clock=ports.clock,
    )
    files_of = partial(Files, services.files)
    files_of_plugin = partial(Files, services.files, finding=finding)
    jobs_of = job_factory(plugins, JobServices(ports.catalog.jobs, ports.clock))

    def delivery_of(sender: Sender) -> DeliveryAccess:
        return DeliveryAccess(services.delivery, services.files.access(sender), sender)

    async def lines_of(sender: Sender, room: BareJid) -> Sequence[RoomLine]:
        return await calls.room_lines(sender, room)

    rooms_of = partial(RoomAccess, services.rooms, lines_of=lines_of)
    calls = PluginCalls(
        channel,
        commands,
        [listener for each in plugins for listener in each.plugin.listeners],
        {each.plugin.name: each.settings for each in plugins},
        Factories(
            files_of_plugin,
            rooms_of,
            jobs_of,
            partial(OwnData, ports.catalog),
            delivery_of,
            ports.clock,
            partial(FilesOfRoom, services.room_files),
            lifespans,
            http_of,
            ports.trusted_now,
            ports.jid,
        ),
        grants={each.plugin.name: each.plugin.grants for each in plugins},
        authorization=Authorization(services.access, ports.rooms, services.files.access),
        checks=services.checks,
        clock=ports.clock,
        consent=services.room_settings.consent,
        room_lines=[line for each in plugins for line in each.plugin.room_lines],
        room_setting_of=services.room_settings.get,
        entry_lines=[spec for each in plugins for spec in each.plugin.entry_lines_specs],
    )
    events.listener, finding.call = calls.tell, calls.call
    services.checks.by_act = by_act((check for each in plugins for check in each.plugin.checks), calls.ask)
    if durable := [listener for each in plugins for listener in each.plugin.durable_listeners]:
        events.recorder = EventRecorder(
            durable, ports.catalog.jobs, ports.clock, services.room_settings.get
        )
    for work in works_of(plugins, calls):
        services.jobs.add(work)
    dispatcher = MessageDispatcher(
        channel=channel,
        plugins=calls,
        files_of=files_of,
        room_posts=RoomPosts(
            channel.chat_state.posts,
            services.room_settings.consent,
            events,
            workload,
            limits.files_per_message,
        ),
        file_requests=FileRequests(
            channel=channel,
            access=services.access,
            catalog=ports.catalog,
            store=ports.store,
            rooms=ports.rooms,
            room_settings=services.room_settings,
            transfers=services.transfers,
            slots=services.slots,
            checks=services.checks,
        ),
        invitations=Invitations(channel, rooms_of, ports.rooms),
        workload=workload,
        access=services.access,
        rooms=ports.rooms,
        room_settings=services.room_settings,
        uploads=ports.uploads,
        clock=ports.clock,
        jid=ports.jid,
        files_per_message=limits.files_per_message,
    )
    return Chat(
        dispatcher,
        StreamOffers(channel, files_of, workload, services.access),
        ProgressReports(services.transfers, reply_sender),
        calls.at_once,
        People(
            [each for loaded in plugins for each in loaded.plugin.exports],
            [each for loaded in plugins for each in loaded.plugin.forgets],
            calls.call,
            ports.catalog.plugin_data,
        ),
    )
