"""Calls of plugin functions, and the context they are given: who asks, what they may do, how to answer."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Generic, ParamSpec, TypeVar

from cachetools import LRUCache

from filebot.concurrency.tasks import Threads
from filebot.errors import FilebotError, UnknownCommand, WrongPlace
from filebot.events.bus import EventBus
from filebot.events.facts import Event
from filebot.files.access import unknown
from filebot.files.shown_files import ShownFiles
from filebot.model import Address, AddressKind, Entry, Offer, Sender
from filebot.plugin.authorization import Authorization
from filebot.plugin.commands import CommandList
from filebot.plugin.files import Files
from filebot.plugin.needs import Grants
from filebot.plugin.resolving import ArgumentResolver
from filebot.plugin.rooms import RoomAccess
from filebot.replies.renderer import ReplySender
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)

S_co = TypeVar("S_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")

MOST_OPEN_LISTS: Final = 1000
"""Lists that can still be continued with ``more``; the oldest are forgotten. Each takes a few kB: what was
searched for is no longer than a command."""

LISTENER_LIMIT_S: Final = 60.0

_BLOCKING: Final = Threads("plugin", 8)

Page = Callable[[int, int | None], Awaitable[list[Entry]]]
"""Given how many entries at most, and the id below which to go on (None: the newest), the next ones."""


FilesOf = Callable[[Sender, str], Files]
"""Given a sender and the language of the replies, the files that the sender sees."""
RoomsOf = Callable[[Sender], RoomAccess]


@dataclass(frozen=True, slots=True)
class OpenList:
    """A list of which not all was shown yet."""

    template: str
    page: Page
    size: int
    before: int | None
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class ChatState:
    """Memory between two messages of the same person; lost at a restart."""

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
        """Begin to answer somebody; ``replies_to`` is the id of the message that theirs is a reply to."""
        language = await self.reply_sender.language_of(sender.identity, client_language)
        return Conversation(self, sender, language, replies_to=replies_to, action=action)


@dataclass(frozen=True, slots=True)
class PluginListener:
    """A listener of a plugin."""

    plugin: str
    event: type[Event]
    listener: Callable[["Context[Any]", Any], Awaitable[None]]

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"listener {getattr(self.listener, '__name__', '')!r}"


class Conversation:
    """Answers to one request, in the sender's language: replies, lists in pages, errors in words."""

    def __init__(
        self, channel: Channel, sender: Sender, language: str, *, replies_to: str = "", action: str = ""
    ) -> None:
        self._channel = channel
        self._replies = channel.reply_sender
        self.sender = sender
        """The person who asks. Rights come from ``sender.identity`` alone; most plugins need not look:
        ``files`` does."""
        self.language = language
        """The language of the replies, as in ``Accept-Language``."""
        self.replies_to = replies_to
        """The id of the message that the sender replies to; empty for none."""
        self.action = action
        """The name of the command that is carried out, for errors that say what was not done."""

    async def reply(self, template: str, /, **values: object) -> None:
        """Answer with a template (``plugin/name``) filled with values.

        Values are data: nothing in them is ever run as a template.
        """
        await self._answer(self.sender, template, values)

    async def reply_aside(self, template: str, /, **values: object) -> None:
        """Reply where nobody else reads it: in private, if the sender spoke to a whole room."""
        await self._answer(self.sender.privately, template, values)

    async def reply_error(self, error: Exception, name: str = "", *, action: str = "") -> None:
        """Answer with the words for an error about the file ``name``, as raising it does.

        ``action`` is the name of the command whose work failed, if that is not the one at work. An error
        that has no words is answered with an incident id that stands in the log as well.
        """
        known = error if isinstance(error, FilebotError) else None
        template = self._replies.replies.template_for(known) if known else None
        if template is None:
            incident = secrets.token_hex(3)
            log.error("incident %s", incident, exc_info=error)
            await self.reply("errors/incident", incident=incident)
        else:
            in_room, action = self.sender.room is not None, action or self.action
            await self.reply(template, error=error, name=name, in_room=in_room, action=action)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        """Say something to somebody else, in that person's language."""
        person = to.jid.split("/", 1)[0] if to.kind is AddressKind.CHAT else None
        language = await self._replies.language_of(person, None)
        await self._replies.say(to, language, template, **values)

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool:
        """Answer with the first ``size`` entries of a list; ``more`` brings the next ones.

        The template is given ``entries`` and ``more`` (whether there is another page). Returns False, and
        says nothing, if the list is empty.
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
        """Remember the sender's language, as they write it (``None``: go by their client again).

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
        """Return the sender's own files in the message of this room that they reply to; if this is no
        reply, those of their last message with files here.

        Empty elsewhere, and if they are not remembered. Raises PostTooLarge if there was too much to be
        remembered.
        """
        room, person = self.sender.room, self.sender.identity
        if not room or not person:
            return ()
        return self._channel.chat_state.posts.of(room, person, self.replies_to)

    @property
    def is_reply(self) -> bool:
        """Whether the sender replies to a certain message (XEP-0461)."""
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


class Context(Conversation, Generic[S_co]):
    """Conversation for a plugin's handler, with the files and rooms that the sender may see."""

    def __init__(
        self,
        channel: Channel,
        conversation: Conversation,
        *,
        usage: str = "",
        settings: S_co,
        commands: CommandList,
        files_of: FilesOf,
        rooms_of: RoomsOf,
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
        self.commands = commands
        """The commands that help shows."""
        self.usage = usage
        """The usage line that fitted what was typed; empty for listeners."""
        self._files_of = files_of
        self._rooms_of = rooms_of
        self._grants = grants

    @cached_property
    def files(self) -> Files:
        """The files as the sender sees them; raises UserError where something is not theirs to do."""
        return self._grants.guarded("files", self._files_of(self.sender, self.language))

    @cached_property
    def rooms(self) -> RoomAccess:
        """The bot's rooms, as far as the sender may change them."""
        return self._grants.guarded("rooms", self._rooms_of(self.sender))

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
        """Run something that would block, in one of the threads that all plugins share."""
        return await _BLOCKING.run(function, *args, **kwargs)


class PluginCalls:
    """Calls the functions of plugins: commands, and listeners of events."""

    def __init__(
        self,
        channel: Channel,
        commands: CommandList,
        listeners: Sequence[PluginListener],
        settings: Mapping[str, object],
        grants: Mapping[str, Grants],
        files_of: FilesOf,
        rooms_of: RoomsOf,
        *,
        authorization: Authorization,
        clock: Callable[[], datetime],
    ) -> None:
        """``settings`` and ``grants`` have those of each plugin; ``files_of`` and ``rooms_of`` give what a
        sender sees; ``clock`` gives the present in UTC.
        """
        self._channel = channel
        self._commands = commands
        self._listeners = listeners
        self._settings = settings
        self._grants = grants
        self._files_of = files_of
        self._rooms_of = rooms_of
        self._authorization = authorization
        self._clock = clock

    async def run_command(self, conversation: Conversation, text: str) -> None:
        """Run the command that ``text`` is. Every mistake is answered; nothing is raised."""
        async with errors_in_words(conversation):
            word, rest = (*text.split(maxsplit=1), "", "")[:2]
            command = self._commands.named(word)
            if command is None:
                suggestions = self._usable(conversation.sender).nearest(word)
                raise UnknownCommand(word[:40], suggestions=suggestions)
            conversation.action = command.name
            try:
                self._authorization.check(command, conversation.sender)
            except WrongPlace:
                if not command.elsewhere:
                    raise
                await conversation.reply(command.elsewhere)
                return
            found = command.match(rest, self._clock(), is_reply=bool(conversation.replies_to))
            values = await self._resolver(conversation).resolve(command, found.values)
            self._authorization.check_arguments(command, conversation.sender, values)
            context = self._context(command.plugin, command.hook, conversation, found.usage)
            await command.handler(context, **values)

    async def tell(self, event: Event) -> None:
        """Call the listeners of an event one after the other. A failing one does not stop the rest."""
        self._channel.chat_state.shown_files.note(event)
        listeners = [each for each in self._listeners if isinstance(event, each.event)]
        if not listeners:
            return
        conversation = await self._channel.conversation(event.sender, event.language)
        for each in listeners:
            try:
                # The limit outside: within, its error would be told to the person as one of the bot's.
                async with asyncio.timeout(LISTENER_LIMIT_S), errors_in_words(conversation):
                    await each.listener(self._context(each.plugin, each.hook, conversation), event)
            except TimeoutError:
                log.error(
                    "plugin %s took over %s s for %s", each.plugin, LISTENER_LIMIT_S, type(event).__name__
                )

    def _usable(self, sender: Sender) -> CommandList:
        return self._commands.usable(lambda command: self._authorization.may_use(command, sender))

    def _resolver(self, conversation: Conversation) -> ArgumentResolver:
        sender = conversation.sender
        return ArgumentResolver(
            self._files_of(sender, conversation.language),
            self._rooms_of(sender),
            self._channel.chat_state.shown_files.replied_to(sender, conversation.replies_to),
        )

    def _context(self, plugin: str, hook: str, conversation: Conversation, usage: str = "") -> Context[Any]:
        return Context(
            self._channel,
            conversation,
            usage=usage,
            settings=self._settings[plugin],
            commands=self._usable(conversation.sender),
            files_of=self._files_of,
            rooms_of=self._rooms_of,
            grants=replace(self._grants[plugin], hook=hook),
        )


@asynccontextmanager
async def errors_in_words(conversation: Conversation, *, name: str = "") -> AsyncIterator[None]:
    """Answer what is raised within, which may be about the file ``name``.

    This is the one place where an error becomes a reply. One that nobody foresaw is answered with an
    incident id that stands in the log as well.
    """
    try:
        yield
    except FilebotError as error:
        log.info("%s: %s", type(error).__name__, error)
        await conversation.reply_error(error, name)
    except Exception as error:  # noqa: BLE001 - this is where nothing may pass
        await conversation.reply_error(error)
