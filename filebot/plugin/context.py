"""The context that handlers are given: who asks, what they may see and do, and how to answer."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, ParamSpec, Protocol, TypeVar

from cachetools import LRUCache

from filebot.concurrency.threads import Threads
from filebot.errors import FilebotError
from filebot.events.bus import EventBus
from filebot.events.facts import Event
from filebot.files.access import unknown
from filebot.model import Address, AddressKind, Entry, Offer, Sender
from filebot.plugin.files import Files
from filebot.plugin.own_data import OwnData
from filebot.plugin.rooms import RoomAccess
from filebot.replies.sender import ReplySender
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)

S_co = TypeVar("S_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")

MOST_OPEN_LISTS: Final = 1000
"""Lists that can still be continued with ``more``; the oldest are forgotten. Each takes a few kB: what was
searched for is no longer than a command."""

_BLOCKING: Final = Threads("plugin", 8)

Page = Callable[[int, int | None], Awaitable[list[Entry]]]
"""Given how many entries at most, and the id below which to go on (None: the newest), the next ones."""


class Command(Protocol):
    """A command as the help shows it."""

    @property
    def name(self) -> str: ...

    @property
    def usage(self) -> tuple[str, ...]:
        """Each way to write it, the everyday one first."""

    @property
    def aliases(self) -> tuple[str, ...]: ...

    @property
    def summary(self) -> str:
        """The first line of the docstring."""

    @property
    def help(self) -> str:
        """The whole docstring."""


class CommandList(Protocol):
    """The commands that the sender can use here."""

    def all(self) -> Sequence[Command]: ...

    def named(self, name: str) -> Command | None:
        """Return the command of this name or alias."""

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return names that somebody who typed ``word`` may have meant."""


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


@dataclass(frozen=True, slots=True)
class Channel:
    """Services that all conversations share."""

    reply_sender: ReplySender
    events: EventBus
    chat_state: ChatState = field(default_factory=ChatState)


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
        await self._replies.answer(self.sender, self.language, template, **values)

    async def reply_aside(self, template: str, /, **values: object) -> None:
        """Reply where nobody else reads it: in private, if the sender spoke to a whole room."""
        await self._replies.answer(self.sender.privately, self.language, template, **values)

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
        sender: Sender,
        language: str,
        *,
        replies_to: str = "",
        action: str = "",
        usage: str = "",
        settings: S_co,
        files: Files,
        rooms: RoomAccess,
        commands: CommandList,
        own_data: OwnData,
    ) -> None:
        super().__init__(channel, sender, language, replies_to=replies_to, action=action)
        self.settings = settings
        """The plugin's own settings."""
        self.files = files
        """The files as the sender sees them; raises UserError where something is not theirs to do."""
        self.rooms = rooms
        """The bot's rooms, as far as the sender may change them."""
        self.commands = commands
        """The commands that help shows."""
        self.store = own_data.store
        """Values that the plugin keeps by key."""
        self.db = own_data.db
        """The plugin's own tables, which its migrations made."""
        self.usage = usage
        """The usage line that fitted what was typed; empty for listeners."""

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something that would block, in one of the threads that all plugins share."""
        return await _BLOCKING.run(function, *args, **kwargs)
