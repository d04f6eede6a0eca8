"""The chat side put together on the services, for the composition roots: the bot's and the fake bot's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from filebot.chat.commands import Commands, LoadedPlugin
from filebot.chat.dispatcher import MessageDispatcher
from filebot.chat.file_requests import FileRequests
from filebot.chat.incoming_files import IncomingFiles
from filebot.chat.invitations import Invitations
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import RateLimits
from filebot.chat.room_posts import RoomPosts
from filebot.chat.workload import Workload
from filebot.plugin.context import Channel
from filebot.plugin.files import Files
from filebot.plugin.own_data import OwnData
from filebot.plugin.rooms import RoomAccess
from filebot.replies import Replies
from filebot.replies.sender import ReplySender
from filebot.services import Services


@dataclass(frozen=True, slots=True)
class Chat:
    """Parts of the chat side that the composition root runs."""

    dispatcher: MessageDispatcher
    progress_reports: ProgressReports


def build_chat(
    services: Services,
    plugins: Sequence[LoadedPlugin],
    replies: Replies,
    limits: RateLimits,
    command_prefix: str = "!",
) -> Chat:
    """Build everything between messages and services. To be called in a running event loop."""
    ports, events = services.ports, services.events
    reply_sender = ReplySender(ports.messenger, replies, ports.catalog, prefix=command_prefix)
    channel = Channel(reply_sender, events)
    files_of, rooms_of = partial(Files, services.files), partial(RoomAccess, services.rooms)
    commands = Commands(plugins, channel, files_of, rooms_of, partial(OwnData, ports.catalog))
    workload = Workload(limits)
    dispatcher = MessageDispatcher(
        commands=commands,
        incoming_files=IncomingFiles(commands, files_of, events, reply_sender, limits.files_per_message),
        room_posts=RoomPosts(
            channel.chat_state.posts,
            services.archive,
            services.announcer,
            events,
            workload,
            limits.files_per_message,
        ),
        file_requests=FileRequests(
            commands=commands,
            access=services.access,
            catalog=ports.catalog,
            store=ports.store,
            rooms=ports.rooms,
            room_settings=services.room_settings,
            transfers=services.transfers,
            slots=services.slots,
            events=events,
            reply_sender=reply_sender,
        ),
        invitations=Invitations(commands, rooms_of, ports.rooms, events, reply_sender),
        workload=workload,
        access=services.access,
        rooms=ports.rooms,
        room_settings=services.room_settings,
        uploads=ports.uploads,
        messenger=ports.messenger,
        events=events,
        clock=ports.clock,
        jid=ports.jid,
    )
    return Chat(dispatcher, ProgressReports(services.transfers, reply_sender))
