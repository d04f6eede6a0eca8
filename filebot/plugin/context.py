"""Context that functions of plugins are given: who asks, what they may do, and how to answer."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Generic, ParamSpec, TypeVar

from cachetools import LRUCache

from filebot.concurrency.tasks import Threads
from filebot.errors import FilebotError, PluginError
from filebot.events.bus import EventBus
from filebot.events.facts import Event
from filebot.files.access import unknown
from filebot.files.shown_files import ShownFiles
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Address, AddressKind, Entry, Offer, Sender
from filebot.plugin.commands import CommandList
from filebot.plugin.database import PluginDatabase
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.files import Files
from filebot.plugin.jobs import Jobs
from filebot.plugin.needs import Grants
from filebot.plugin.own_data import OwnData
from filebot.plugin.rooms import RoomAccess
from filebot.plugin.store import PluginStore
from filebot.replies.renderer import ReplySender
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)

S_co = TypeVar("S_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")

MOST_OPEN_LISTS: Final = 1000
"""Most lists that can be continued with ``more``; the oldest are forgotten. Each takes a few kB: a search
is no longer than a command."""


_BLOCKING: Final = Threads("plugin", 8)

Page = Callable[[int, int | None], Awaitable[list[Entry]]]
"""Function that returns a page of a list, given the most entries, and the id below which it begins (None
for the first page)."""


FilesOf = Callable[[Sender, str], Files]
"""Function that returns the files as a sender sees them, given the language of the replies."""
RoomsOf = Callable[[Sender], RoomAccess]
JobsOf = Callable[[str, OnBehalfOf | None], Jobs]


@dataclass(frozen=True, slots=True)
class OpenList:
    """List of which not all pages were shown yet."""

    template: str
    page: Page
    size: int
    before: int | None
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class ChatState:
    """State of chats between messages: open lists, files posted in rooms, and files of messages.

    It is lost at a restart.
    """

    lists: LRUCache[Address, OpenList] = field(default_factory=lambda: LRUCache(MOST_OPEN_LISTS))
    posts: RecentPosts = field(default_factory=RecentPosts)
    shown_files: ShownFiles = field(default_factory=ShownFiles)


@dataclass(frozen=True, slots=True)
class Channel:
    """Services that all conversations share."""

    reply_sender: ReplySender
    events: EventBus
    chat_state: ChatState = field(default_factory=ChatState)

    async def conversation(
        self, sender: Sender, client_language: str | None, *, replies_to: str = "", action: str = ""
    ) -> "Conversation":
        """Begin a conversation with somebody, in their language.

        ``replies_to`` is the id of the message that theirs is a reply to.
        """
        language = await self.reply_sender.language_of(sender.identity, client_language)
        return Conversation(self, sender, language, replies_to=replies_to, action=action)


class Conversation:
    """Answers to one request, in the sender's language: replies, lists in pages, errors in words."""

    def __init__(
        self, channel: Channel, sender: Sender, language: str, *, replies_to: str = "", action: str = ""
    ) -> None:
        self._channel = channel
        self._replies = channel.reply_sender
        self.sender = sender
        """The person who asks. Rights come from ``sender.identity`` alone; ``files`` and ``rooms`` check
        them."""
        self.language = language
        """The language of the replies, as in ``Accept-Language``."""
        self.replies_to = replies_to
        """The id of the message that the sender replies to; empty for none."""
        self.action = action
        """Name of the command that is carried out, for the words of errors."""

    async def reply(self, template: str, /, **values: object) -> None:
        """Answer with a template (``plugin/name``) filled with values.

        Values are data: nothing in them is ever run as a template.
        """
        await self._answer(self.sender, template, values)

    async def reply_aside(self, template: str, /, **values: object) -> None:
        """Reply in private, even if the sender spoke to a whole room."""
        await self._answer(self.sender.privately, template, values)

    async def reply_error(self, error: Exception, name: str = "", *, action: str = "") -> None:
        """Answer with the words for an error about the file ``name``, as if it were raised.

        ``action`` is the name of the command that failed, if that is not the present one. An error without
        a template, or with one that fails, is answered with an incident id that stands in the log as well.
        """
        known = error if isinstance(error, FilebotError) else None
        template = self._replies.replies.template_for(known) if known else None
        if template is None:
            await self._reply_incident(error)
            return
        in_room, action = self.sender.room is not None, action or self.action
        try:
            await self.reply(template, error=error, name=name, in_room=in_room, action=action)
        except Exception as failure:  # noqa: BLE001 - a plugin's words must not leave anybody without any
            await self._reply_incident(failure)

    async def _reply_incident(self, error: Exception) -> None:
        incident = secrets.token_hex(3)
        log.error("incident %s", incident, exc_info=error)
        await self.reply("errors/incident", incident=incident)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        """Say something to somebody else, in that person's language."""
        person = to.jid.split("/", 1)[0] if to.kind is AddressKind.CHAT else None
        language = await self._replies.language_of(person, None)
        await self._replies.say(to, language, template, **values)

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool:
        """Answer with the first ``size`` entries of a list; the command ``more`` shows the next ones.

        The template is given ``entries`` and ``more`` (whether there is another page). Returns False,
        without a reply, if the list is empty.
        """
        return await self._reply_page(OpenList(template, page, size, None, values))

    async def reply_more(self) -> bool:
        """Answer with the next page of the list shown last; False if there is none."""
        shown = self._channel.chat_state.lists.get(self._list_key())
        return shown is not None and await self._reply_page(shown)

    async def emit(self, event: Event) -> None:
        """Tell all plugins that something happened."""
        await self._channel.events.tell(event)

    async def choose_language(self, wanted: str | None) -> str | None:
        """Remember the language that the sender names; None for that of their client.

        Returns the language's code, or None if the bot does not speak it.
        """
        language = self._replies.replies.parse_language(wanted) if wanted else None
        person = self.sender.identity
        if person is None and language is not None:
            raise unknown(self.sender)  # it could not be remembered
        if person is not None and (language is not None or wanted is None):
            await self._replies.catalog.set_language(person, language)
        if language is not None:
            self.language = language
        return language

    def languages(self) -> tuple[str, ...]:
        """Return the languages that the bot speaks."""
        return self._replies.replies.languages

    def files_posted_here(self) -> tuple[Offer, ...]:
        """Return the files that the sender posted in this room.

        These are the files of the message that they reply to, or else of their last message with files.
        There are none outside of rooms, and if they are not remembered. Raises PostTooLarge if they were
        too many for that.
        """
        room, person = self.sender.room, self.sender.identity
        if not room or not person:
            return ()
        return self._channel.chat_state.posts.of(room, person, self.replies_to)

    @property
    def is_reply(self) -> bool:
        """Whether the sender's message is a reply to another (XEP-0461)."""
        return bool(self.replies_to)

    async def _answer(self, sender: Sender, template: str, values: Mapping[str, object]) -> None:
        message_id = await self._replies.answer(sender, self.language, template, **values)
        entry = values.get("entry")
        if isinstance(entry, Entry):
            self._channel.chat_state.shown_files.add(sender.address, message_id, entry.id)

    async def _reply_page(self, shown: OpenList) -> bool:
        lists, key = self._channel.chat_state.lists, self._list_key()
        lists.pop(key, None)
        # One entry more than is shown tells whether there is another page.
        entries = await shown.page(shown.size + 1, shown.before)
        visible, more = entries[: shown.size], len(entries) > shown.size
        if more:
            lists[key] = replace(shown, before=visible[-1].id)
        if visible:
            await self.reply(shown.template, **shown.values, entries=visible, more=more)
        return bool(visible)

    def _list_key(self) -> Address:
        # In public everybody may say ``more`` to the list that everybody saw.
        return self.sender.address.conversation


@dataclass(frozen=True, slots=True)
class Factories:
    """Makers of the objects that a context gives."""

    files: FilesOf
    rooms: RoomsOf
    jobs: JobsOf
    own_data: Callable[[str], OwnData]
    delivery: Callable[[Sender], DeliveryAccess]
    clock: Callable[[], datetime]
    """Gives the present in UTC."""


class Context(Conversation, Generic[S_co]):
    """Conversation for a plugin's handler, with the files and rooms that the sender may see."""

    def __init__(
        self,
        channel: Channel,
        conversation: Conversation,
        *,
        usage: str = "",
        settings: S_co,
        commands: Callable[[Sender], CommandList],
        factories: Factories,
        by: OnBehalfOf | None,
        grants: Grants,
    ) -> None:
        super().__init__(
            channel,
            conversation.sender,
            conversation.language,
            replies_to=conversation.replies_to,
            action=conversation.action,
        )
        self.settings = settings
        """The plugin's own settings."""
        self.usage = usage
        """Usage line of the command that was typed; empty for listeners."""
        self._commands = commands
        self._plugin = grants.plugin
        self._factories = factories
        self._by = by
        self._grants = grants

    @property
    def now(self) -> datetime:
        """The present in UTC, by the server's clock."""
        return self._factories.clock()

    @cached_property
    def commands(self) -> CommandList:
        """Commands that the sender may use here, for the help."""
        return self._commands(self.sender)

    @cached_property
    def files(self) -> Files:
        """The files as the sender sees them; raises UserError for what the sender may not do."""
        return self._grants.guarded("files", self._factories.files(self.sender, self.language))

    @cached_property
    def rooms(self) -> RoomAccess:
        """The bot's rooms, as far as the sender may change them."""
        return self._grants.guarded("rooms", self._factories.rooms(self.sender))

    @cached_property
    def jobs(self) -> Jobs:
        """The plugin's own jobs; those that are added are done on behalf of the sender."""
        return self._grants.guarded("jobs", self._factories.jobs(self._plugin, self._by))

    @cached_property
    def store(self) -> PluginStore:
        """Values that the plugin keeps by key."""
        return self._grants.guarded("store", self._factories.own_data(self._plugin).store)

    @cached_property
    def db(self) -> PluginDatabase:
        """The plugin's own tables, which its migrations made."""
        return self._grants.guarded("db", self._factories.own_data(self._plugin).db)

    @cached_property
    def delivery(self) -> DeliveryAccess:
        """Routes of files to the sender, and probes of them."""
        return self._grants.guarded("delivery", self._factories.delivery(self.sender))

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        self._grants.require("tell")
        await super().tell(to, template, **values)

    async def choose_language(self, wanted: str | None) -> str | None:
        self._grants.require("choose_language")
        return await super().choose_language(wanted)

    async def emit(self, event: Event) -> None:
        self._grants.require("emit")
        await super().emit(event)

    def files_posted_here(self) -> tuple[Offer, ...]:
        self._grants.require("files_posted_here")
        return super().files_posted_here()

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking function in one of the threads that all plugins share."""
        return await _BLOCKING.run(function, *args, **kwargs)


class BackgroundContext(Context[S_co]):
    """Context of what nobody asked for: it sees nobody's files, and there is nobody to reply to."""

    async def reply(self, template: str, /, **values: object) -> None:
        raise PluginError(f"nobody waits for the reply {template!r}; speak to somebody with ctx.tell")

    async def reply_aside(self, template: str, /, **values: object) -> None:
        await self.reply(template, **values)


@asynccontextmanager
async def errors_in_words(conversation: Conversation, *, name: str = "") -> AsyncIterator[None]:
    """Answer an error that is raised within, which may be about the file ``name``.

    This is the one place where an error becomes a reply. An unexpected one is answered with an incident id
    that stands in the log as well.
    """
    try:
        yield
    except FilebotError as error:
        log.info("%s: %s", type(error).__name__, error)
        await conversation.reply_error(error, name)
    except Exception as error:  # noqa: BLE001 - this is where nothing may pass
        await conversation.reply_error(error)
