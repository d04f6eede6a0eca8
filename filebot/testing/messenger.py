"""Fake ``Messenger`` that records all messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from filebot.model import Address, AddressKind, Entry, MessageRef


@dataclass(frozen=True, slots=True)
class Said:
    """Words to somebody."""

    to: Address
    text: str
    language: str | None = None
    replaces: str | None = None
    """The id of what it corrects; ids are the places in ``sent``."""
    answers: MessageRef | None = None


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file to somebody."""

    to: Address
    entry: Entry
    url: str


class RecordingMessenger:
    """Delivers nothing and records everything in order; ``to`` of the methods is an address's JID."""

    def __init__(self) -> None:
        self.sent: list[Said | FileShown] = []
        self.corrections = True
        """Whether clients show corrections."""
        self.posted: Callable[[str, str], Awaitable[None]] | None = None
        """Is told the room and the id of each message to a room; the room gives it the same id."""
        self.reactions: list[tuple[str, str, str]] = []
        """Reactions: the JID, the id of the message, and the emoji."""
        self.at_work_for: set[Address] = set()
        """Addresses that are shown that an answer is being worked on."""

    async def say(
        self,
        to: Address,
        text: str,
        *,
        language: str | None = None,
        replaces: str | None = None,
        answers: MessageRef | None = None,
    ) -> str:
        return await self._sent(Said(to, text, language, replaces, answers))

    async def shows_corrections(self, to: Address) -> bool:
        return self.corrections

    async def send_file(self, to: Address, entry: Entry, url: str) -> str:
        return await self._sent(FileShown(to, entry, url))

    async def react(self, to: Address, message_id: str, emoji: str) -> None:
        self.reactions.append((to.jid, message_id, emoji))

    async def composing(self, to: Address, active: bool) -> None:
        if active:
            self.at_work_for.add(to)
        else:
            self.at_work_for.discard(to)

    async def _sent(self, message: Said | FileShown) -> str:
        self.sent.append(message)
        message_id = str(len(self.sent) - 1)
        if self.posted is not None and message.to.kind is AddressKind.ROOM:
            await self.posted(message.to.jid, message_id)
        return message_id

    def texts(self, to: str) -> list[str]:
        """Return the texts said to this JID."""
        return [each.text for each in self.sent if isinstance(each, Said) and each.to.jid == to]

    def files(self, to: str) -> list[FileShown]:
        """Return the files shown to this JID."""
        return [each for each in self.sent if isinstance(each, FileShown) and each.to.jid == to]
