"""The bot's side of a conversation: replies in the person's language, lists in pages, errors in words."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from cachetools import LRUCache

from filebot.chat.recent_posts import RecentPosts
from filebot.errors import FilebotError, StorageError
from filebot.events.facts import Event
from filebot.files.access import unknown
from filebot.model import Address, AddressKind, Identity, Offer, Sender
from filebot.plugin import Page
from filebot.ports import Catalog, Messenger
from filebot.replies import Replies

log = logging.getLogger(__name__)

CONVERSATIONS_REMEMBERED: Final = 1000
"""Lists that can still be continued with ``more``; the oldest are forgotten. Each takes a few kB: what was
searched for is no longer than a command."""

COMPOSING_AFTER_S: Final = 0.5
"""Answers that come at once need no sign that one is being written."""


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
    """What is remembered between two messages of the same person; lost at a restart."""

    lists: LRUCache[Address, OpenList] = field(default_factory=lambda: LRUCache(CONVERSATIONS_REMEMBERED))
    posts: RecentPosts = field(default_factory=RecentPosts)


@dataclass(frozen=True, slots=True)
class ReplySender:
    """What is needed to say anything to anybody."""

    messenger: Messenger
    replies: Replies
    catalog: Catalog
    chat_state: ChatState = field(default_factory=ChatState)
    prefix: str = "!"
    """The signs before a command in a room: templates show commands as they are to be typed."""

    async def language_of(self, person: Identity | None, client_language: str | None) -> str:
        """What somebody reads: what they chose, else what their client says, else the default."""
        chosen = None
        with suppress(StorageError):  # an answer in another language is better than none
            chosen = await self.catalog.language(person) if person else None
        return self.replies.negotiate(chosen, client_language)

    async def say(self, to: Address, language: str, template: str, /, **values: object) -> str:
        """Say a template's text and return an id for it."""
        text, tag = self._words(to, template, language, values)
        return await self.messenger.say(to, text, language=tag)

    async def answer(self, sender: Sender, language: str, template: str, /, **values: object) -> None:
        """Say a template's text to somebody who has just spoken."""
        text, tag = self._words(sender.address, template, language, values)
        await self.messenger.say(sender.address, text, language=tag, answers=sender.message_ref)

    async def correct(
        self, what: str, to: Address, language: str, template: str, /, **values: object
    ) -> None:
        """Say it in place of what has this id."""
        text, tag = self._words(to, template, language, values)
        await self.messenger.say(to, text, language=tag, replaces=what)

    def _words(
        self, to: Address, template: str, language: str, values: Mapping[str, object]
    ) -> tuple[str, str]:
        """The text, and its language as a tag (RFC 5646)."""
        prefix = self.prefix if to.kind is AddressKind.ROOM else ""
        text = self.replies.render(template, language, **{"prefix": prefix, **values})
        return text, language.replace("_", "-")


class Exchange:
    """One request and its answers."""

    def __init__(
        self,
        reply_sender: ReplySender,
        sender: Sender,
        language: str,
        emit: Callable[[Event], Awaitable[None]],
        *,
        chat_states: bool = False,
        replies_to: str = "",
    ) -> None:
        self.sender = sender
        self.language = language
        self._emit = emit
        self._reply_sender = reply_sender
        self._replies_to = replies_to
        self.action = ""
        """The command that is carried out, by its name; for errors that say what was not done."""
        self._chat_states = chat_states and sender.address.kind is AddressKind.CHAT

    async def reply(self, template: str, /, **values: object) -> None:
        await self._reply_sender.answer(self.sender, self.language, template, **values)

    async def reply_aside(self, template: str, /, **values: object) -> None:
        await self._reply_sender.answer(self.sender.privately, self.language, template, **values)

    def rendered(self, template: str, /, **values: object) -> str:
        """The text that a reply would have, for other ways of saying it."""
        return self._reply_sender.replies.render(template, self.language, **values)

    def words(self, error: FilebotError, name: str = "") -> str:
        """What :meth:`reply_error` would say; for errors that have words."""
        template = self._reply_sender.replies.template_for(error) or "errors/transfer_error"
        return self.rendered(template, error=error, name=name, action=self.action)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        person = to.jid.split("/", 1)[0] if to.kind is AddressKind.CHAT else None
        language = await self._reply_sender.language_of(person, None)
        await self._reply_sender.say(to, language, template, **values)

    async def reply_error(self, error: FilebotError, name: str = "", *, action: str = "") -> None:
        """Say what went wrong, in the words that belong to the class of the error."""
        template = self._reply_sender.replies.template_for(error)
        if template is None:
            await self._reply_incident(error)
        else:
            in_room, action = self.sender.room is not None, action or self.action
            await self.reply(template, error=error, name=name, in_room=in_room, action=action)

    async def _reply_incident(self, error: Exception) -> None:
        incident = secrets.token_hex(3)
        log.error("incident %s", incident, exc_info=error)
        await self.reply("errors/incident", incident=incident)

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool:
        return await self._reply_page(OpenList(template, page, size, None, values))

    async def reply_more(self) -> bool:
        shown = self._reply_sender.chat_state.lists.get(self._list_key())
        return shown is not None and await self._reply_page(shown)

    async def _reply_page(self, shown: OpenList) -> bool:
        lists, key = self._reply_sender.chat_state.lists, self._list_key()
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

    async def choose_language(self, wanted: str | None) -> str | None:
        language = self._reply_sender.replies.parse_language(wanted) if wanted else None
        person = self.sender.identity
        if person is None and language is not None:
            raise unknown(self.sender)  # it could not be remembered
        if person is not None and (language is not None or wanted is None):
            await self._reply_sender.catalog.set_language(person, language)
        if language is not None:
            self.language = language
        return language

    async def emit(self, event: Event) -> None:
        await self._emit(event)

    def languages(self) -> tuple[str, ...]:
        return self._reply_sender.replies.languages

    def files_posted_here(self) -> tuple[Offer, ...]:
        room, person = self.sender.room, self.sender.identity
        return (
            self._reply_sender.chat_state.posts.of(room, person, self._replies_to)
            if room and person
            else ()
        )

    @property
    def is_reply(self) -> bool:
        return bool(self._replies_to)

    @asynccontextmanager
    async def errors_in_words(self, *, name: str = "") -> AsyncIterator[None]:
        """The one place where an error becomes a reply.

        An error that nobody foresaw is answered with an incident id that stands in the log as well.
        """
        try:
            yield
        except FilebotError as error:
            log.info("%s: %s", type(error).__name__, error)
            await self.reply_error(error, name)
        except Exception as error:  # noqa: BLE001 - this is where nothing may pass
            await self._reply_incident(error)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Show that an answer is on its way if it takes a moment (XEP-0085); never in rooms."""
        if not self._chat_states:
            yield
            return
        sign = asyncio.create_task(self._compose())
        try:
            yield
        finally:
            sign.cancel()
            with suppress(asyncio.CancelledError):
                await sign

    async def _compose(self) -> None:
        messenger = self._reply_sender.messenger
        await asyncio.sleep(COMPOSING_AFTER_S)
        await messenger.composing(self.sender.address, active=True)
        try:
            await asyncio.Event().wait()
        finally:
            await messenger.composing(self.sender.address, active=False)
