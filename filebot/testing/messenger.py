"""Fake ``Messenger`` that records all messages."""

from dataclasses import dataclass

from filebot.model import Address, Entry, MessageRef


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
        self.sent.append(Said(to, text, language, replaces, answers))
        return str(len(self.sent) - 1)

    async def shows_corrections(self, to: Address) -> bool:
        return self.corrections

    async def send_file(self, to: Address, entry: Entry, url: str) -> str:
        self.sent.append(FileShown(to, entry, url))
        return str(len(self.sent) - 1)

    async def composing(self, to: Address, active: bool) -> None:
        if active:
            self.at_work_for.add(to)
        else:
            self.at_work_for.discard(to)

    def texts(self, to: str) -> list[str]:
        """Return the texts said to this JID."""
        return [each.text for each in self.sent if isinstance(each, Said) and each.to.jid == to]

    def files(self, to: str) -> list[FileShown]:
        """Return the files shown to this JID."""
        return [each for each in self.sent if isinstance(each, FileShown) and each.to.jid == to]
