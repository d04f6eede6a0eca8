"""Assembly of the chat package on the services, for the bot and for the fake bot."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Sender
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.authorization import Authorization
from filebot.plugin.calls import PluginCalls
from filebot.plugin.context import Factories
from filebot.plugin.conversation import Channel, ChatState
from filebot.plugin.declare import LoadedPlugin, commands_of
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.files import Files
from filebot.plugin.jobs import Jobs, JobServices
from filebot.plugin.own_data import OwnData
from filebot.plugin.rooms import RoomAccess
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


def build_chat(
    services: Services,
    plugins: Sequence[LoadedPlugin],
    replies: Replies,
    limits: RateLimits,
    command_prefix: str = "!",
) -> Chat:
    """Build all that stands between messages and services. Call it in a running event loop."""
    ports, events, workload = services.ports, services.events, Workload(limits)
    commands = commands_of(plugins)
    reply_sender = ReplySender(
        ports.messenger,
        replies,
        ports.catalog,
        prefix=command_prefix,
        is_command=lambda word: commands.named(word) is not None,
    )
    channel = Channel(reply_sender, events, ChatState(shown_files=services.shown_files))
    files_of, rooms_of = partial(Files, services.files), partial(RoomAccess, services.rooms)
    job_services = JobServices(ports.catalog.jobs, ports.clock)
    codecs = {
        each.plugin.name: {job.name: job.codec for job in each.plugin.jobs.values()} for each in plugins
    }

    def jobs_of(plugin: str, by: OnBehalfOf | None) -> Jobs:
        return Jobs(job_services, plugin, codecs[plugin], by)

    def delivery_of(sender: Sender) -> DeliveryAccess:
        return DeliveryAccess(services.delivery, services.files.access(sender), sender)

    calls = PluginCalls(
        channel,
        commands,
        [listener for each in plugins for listener in each.plugin.listeners],
        {each.plugin.name: each.settings for each in plugins},
        Factories(files_of, rooms_of, jobs_of, partial(OwnData, ports.catalog), delivery_of, ports.clock),
        grants={each.plugin.name: each.plugin.grants for each in plugins},
        authorization=Authorization(services.access, ports.rooms, services.files.access),
        clock=ports.clock,
    )
    events.listener = calls.tell
    if durable := [listener for each in plugins for listener in each.plugin.durable_listeners]:
        events.recorder = EventRecorder(durable, ports.catalog.jobs, ports.clock)
    for work in works_of(plugins, calls):
        services.jobs.add(work)
    dispatcher = MessageDispatcher(
        channel=channel,
        plugins=calls,
        files_of=files_of,
        room_posts=RoomPosts(
            channel.chat_state.posts,
            services.archive,
            services.announcer,
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
    )
