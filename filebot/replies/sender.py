"""Sends templates' texts to people, each in a language that they read."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from filebot.errors import FilebotError, StorageError
from filebot.model import Address, AddressKind, Identity, Sender
from filebot.ports import Catalog, Messenger
from filebot.replies.renderer import Replies


@dataclass(frozen=True, slots=True)
class ReplySender:
    """Renders templates and hands their texts to the messenger."""

    messenger: Messenger
    replies: Replies
    catalog: Catalog
    prefix: str = "!"
    """The signs before a command in a room: templates show commands as they are to be typed."""

    async def language_of(self, person: Identity | None, client_language: str | None) -> str:
        """Return the language that somebody chose, else that of their client, else the default."""
        chosen = None
        with suppress(StorageError):  # an answer in another language is better than none
            chosen = await self.catalog.language(person) if person else None
        return self.replies.negotiate(chosen, client_language)

    async def say(self, to: Address, language: str, template: str, /, **values: object) -> str:
        """Say a template's text and return an id for it."""
        text, tag = self._rendered(to, template, language, values)
        return await self.messenger.say(to, text, language=tag)

    async def answer(self, sender: Sender, language: str, template: str, /, **values: object) -> None:
        """Say a template's text to somebody who has just spoken."""
        text, tag = self._rendered(sender.address, template, language, values)
        await self.messenger.say(sender.address, text, language=tag, answers=sender.message_ref)

    async def correct(
        self, message_id: str, to: Address, language: str, template: str, /, **values: object
    ) -> None:
        """Say a template's text in place of the message with this id."""
        text, tag = self._rendered(to, template, language, values)
        await self.messenger.say(to, text, language=tag, replaces=message_id)

    def words(self, error: FilebotError, language: str, *, name: str = "", action: str = "") -> str:
        """Return the text for an error that a peer is told otherwise than by a message."""
        template = self.replies.template_for(error) or "errors/transfer_error"
        return self.replies.render(template, language, error=error, name=name, action=action)

    def _rendered(
        self, to: Address, template: str, language: str, values: Mapping[str, object]
    ) -> tuple[str, str]:
        """Return the text, and its language as a tag (RFC 5646)."""
        prefix = self.prefix if to.kind is AddressKind.ROOM else ""
        text = self.replies.render(template, language, **{"prefix": prefix, **values})
        return text, language.replace("_", "-")
