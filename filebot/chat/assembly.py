"""Assembly of the chat package on the services, for the bot and for the fake bot."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from filebot.chat.dispatcher import ChatMemory, MessageDispatcher
from filebot.chat.event_recorder import EventRecorder
from filebot.chat.file_messages import FileMessages
from filebot.chat.file_requests import FileRequests
from filebot.chat.forms.commands import PluginForms
from filebot.chat.forms.steps import StepServices
from filebot.chat.invitations import Invitations
from filebot.chat.plugin_jobs import works_of
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import RateLimits, Workload
from filebot.chat.room_posts import RoomPosts
from filebot.chat.stream_offers import StreamOffers
from filebot.chat.text_messages import TextMessages
from filebot.chat.typed_text import TypedText
from filebot.checks.acts import Act
from filebot.checks.checks import Check
from filebot.concurrency.locks import FairSemaphore
from filebot.files.shown_lists import ShownLists
from filebot.jobs.payloads import OnBehalfOf
from filebot.jobs.worker import Work
from filebot.model import BareJid, Sender
from filebot.plugin.asking import by_act
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.authorization import Authorization
from filebot.plugin.blocking import BlockingWork
from filebot.plugin.calls import PluginCalls
from filebot.plugin.confirmation import ANSWERS
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
from filebot.plugin.reload import Reload
from filebot.plugin.room_files import FilesOfRoom
from filebot.plugin.rooms import RoomAccess, RoomLine
from filebot.ports import Catalog, HttpTransfer
from filebot.replies import Replies
from filebot.replies.renderer import ReplySender
from filebot.rooms.recent_posts import RecentPosts
from filebot.services import Services


@dataclass(frozen=True, slots=True)
class Chat:
    """Parts of the chat package on one set of plugins. Nothing reaches them before :meth:`take_over`."""

    dispatcher: MessageDispatcher
    stream_offers: StreamOffers
    calls: PluginCalls
    command_forms: PluginForms
    people: People
    memory: ChatMemory
    channel: Channel
    limits: RateLimits
    recorder: EventRecorder | None
    checks: Mapping[type[Act], Sequence[Check]]
    works: Sequence[Work]

    @property
    def progress_reports(self) -> ProgressReports:
        """To be run by the composition root."""
        return self.memory.progress_reports

    @property
    def at_once(self) -> CallsAtOnce:
        """To be closed by the composition root."""
        return self.memory.at_once

    def take_over(self, services: Services) -> None:
        """Let events, acts and jobs meet these plugins from now on, and no others."""
        services.events.listener, services.events.recorder = self.calls.listeners.tell, self.recorder
        services.checks.use(self.checks)
        services.jobs.replace(self.works)
        self.memory.workload.rate_limiter.use(self.limits)
        self.memory.invitations.channel = self.channel
        self.memory.progress_reports.reply_sender = self.channel.reply_sender


def _chat_state(services: Services, posts: RecentPosts, shown_lists: ShownLists) -> ChatState:
    return ChatState(services.shown_files, services.gathered, posts=posts, shown_lists=shown_lists)


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
    before: Lifespans | None = None,
    kept: Collection[str] = (),
) -> Lifespans:
    """Return the owner of the plugins' lifespans. To be opened before the services are built.

    ``before`` has the lifespans so far, of which those of the plugins ``kept`` stay open.
    """
    jobs_of = job_factory(plugins, JobServices(catalog.jobs, clock))
    own_data = partial(OwnData, catalog)
    blocking = BlockingWork() if before is None else before.blocking
    services = LifeServices(own_data, lambda plugin: jobs_of(plugin, None), http_of, clock, blocking)
    return Lifespans(services, before, kept)


def build_chat(
    services: Services,
    plugins: Sequence[LoadedPlugin],
    replies: Replies,
    limits: RateLimits,
    command_prefix: str = "!",
    *,
    lifespans: Lifespans,
    http_of: Callable[[str], Http],
    reload: Reload,
    memory: ChatMemory | None = None,
) -> Chat:
    """Build all that stands between messages and services. Call it in a running event loop.

    ``memory`` is that of the chat which this one is to replace.
    """
    ports, events = services.ports, services.events
    commands = commands_of(plugins)

    def is_command(word: str) -> bool:
        return commands.named(word) is not None or word in ANSWERS

    reply_sender = ReplySender(
        ports.messenger,
        replies,
        ports.catalog,
        prefix=command_prefix,
        is_command=None if all(map(is_command, replies.hinted_commands())) else is_command,
    )

    async def lines_of(sender: Sender, room: BareJid) -> Sequence[RoomLine]:
        return await calls.room_lines(sender, room)

    rooms_of = partial(RoomAccess, services.rooms, lines_of=lines_of)
    posts = RecentPosts() if memory is None else memory.posts
    shown_lists = ShownLists(ports.clock) if memory is None else memory.shown_lists
    # Open lists are not passed on: their pages are read by functions of the plugins so far.
    channel = Channel(reply_sender, events, _chat_state(services, posts, shown_lists))
    memory = memory or ChatMemory(
        Workload(limits),
        posts,
        Invitations(channel, rooms_of, ports.rooms),
        ProgressReports(services.transfers, reply_sender),
        shown_lists,
    )
    finding = Finding(
        filters_of(plugins),
        [each for loaded in plugins for each in loaded.plugin.resolvers],
        plugins=frozenset(each.plugin.name for each in plugins),
        clock=ports.clock,
    )
    files_of = partial(Files, services.files)
    files_of_plugin = partial(Files, services.files, finding=finding, shown_lists=shown_lists)
    jobs_of = job_factory(plugins, JobServices(ports.catalog.jobs, ports.clock))

    def delivery_of(sender: Sender) -> DeliveryAccess:
        return DeliveryAccess(services.delivery, services.files.access(sender), sender)

    authorization = Authorization(services.access, ports.rooms, services.files.access)
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
            reload,
        ),
        grants={each.plugin.name: each.plugin.grants for each in plugins},
        authorization=authorization,
        checks=services.checks,
        clock=ports.clock,
        consent=services.room_settings.consent,
        room_lines=[line for each in plugins for line in each.plugin.room_lines],
        room_setting_of=services.room_settings.get,
        entry_lines=[spec for each in plugins for spec in each.plugin.entry_lines_specs],
        at_once=memory.at_once,
    )
    finding.call = calls.call
    recorder = None
    if durable := [listener for each in plugins for listener in each.plugin.durable_listeners]:
        recorder = EventRecorder(durable, ports.catalog.jobs, ports.clock, services.room_settings.get)
    typed_text = TypedText(calls, commands, channel, ports.clock)
    file_messages = FileMessages(channel, files_of, ports.uploads, limits.files_per_message)
    dispatcher = MessageDispatcher(
        channel=channel,
        typed_text=typed_text,
        texts=TextMessages(
            channel,
            calls,
            typed_text,
            file_messages,
            services.captions,
            late_commands=memory.late_commands,
            recent_commands=memory.recent_commands,
            clock=ports.clock,
        ),
        file_messages=file_messages,
        room_posts=RoomPosts(
            posts,
            services.room_settings.consent,
            events,
            memory.workload,
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
        memory=memory,
        access=services.access,
        captions=services.captions,
        retractions=services.retractions,
        rooms=ports.rooms,
        room_settings=services.room_settings,
        clock=ports.clock,
        jid=ports.jid,
    )
    return Chat(
        dispatcher,
        StreamOffers(channel, files_of, memory.workload, services.access),
        calls,
        PluginForms(
            StepServices(
                calls,
                commands,
                channel,
                authorization,
                services.access,
                ports.rooms,
                memory.workload,
                ports.clock,
            )
        ),
        People(
            [each for loaded in plugins for each in loaded.plugin.exports],
            [each for loaded in plugins for each in loaded.plugin.forgets],
            calls.call,
            ports.catalog.plugin_data,
            services.proven_occupants.forget_person,
        ),
        memory,
        channel,
        limits,
        recorder,
        by_act((check for each in plugins for check in each.plugin.checks), calls.ask),
        [*works_of(plugins, calls)],
    )
