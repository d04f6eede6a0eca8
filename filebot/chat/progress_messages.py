"""Progress messages: one for each long transfer, corrected in place (XEP-0308).

The last correction tells how it ended. A client without corrections shows each of them as a new message, so
it is sent only a few, and none at the end: the file, or the answer to it, follows. Rooms get none.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from filebot.failures import report
from filebot.files.transfers import Transfer, Transfers
from filebot.model import AddressKind, Progress
from filebot.replies.renderer import ReplySender

FIRST_AFTER_S: Final = 4.0
"""Shorter transfers have no progress messages."""

CORRECTED_EVERY_S: Final = 3.0
MARKS: Final = (0.25, 0.5, 0.75)

_LOOK_EVERY_S: Final = 1.0


@dataclass(slots=True)
class Told:
    """Progress of a transfer in the last message about it."""

    message: str | None = None
    at_s: float = 0.0
    """Age of the transfer at that message."""
    fraction: float = 0.0
    done_bytes: int = 0
    corrected: bool = False
    """Whether the message is one that changes."""


class ProgressReports:
    """Sends people progress messages about their long transfers."""

    def __init__(self, transfers: Transfers, reply_sender: ReplySender) -> None:
        self._transfers = transfers
        self.reply_sender = reply_sender
        self._told: dict[Transfer, Told] = {}
        """State of the transfers that move, or ended since the last look."""

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the next one may succeed
                report(error, "a progress report failed")

    async def look(self) -> None:
        """Send the messages that are due now."""
        for transfer in self._transfers.all():
            if transfer.waits:
                continue
            if transfer.sender.address.kind is AddressKind.CHAT and transfer.age_s >= FIRST_AFTER_S:
                await self._report(transfer)
        for transfer in [each for each in self._told if each.ended]:
            await self._end(transfer, self._told.pop(transfer))

    async def _end(self, transfer: Transfer, told: Told) -> None:
        """Tell that a transfer has ended, in place of how far it was."""
        if told.message is None or not told.corrected:
            return
        sender = transfer.sender
        language = await self.reply_sender.language_of(sender.identity, transfer.language)
        await self.reply_sender.correct(
            told.message, sender.address, language, "transfers/ended", transfer=transfer
        )

    async def _report(self, transfer: Transfer) -> None:
        told = self._told.setdefault(transfer, Told())
        corrects = await self.reply_sender.messenger.shows_corrections(transfer.sender.address)
        if not is_due(told, transfer.age_s, transfer.progress, corrects=corrects):
            return
        language = await self.reply_sender.language_of(transfer.sender.identity, transfer.language)
        to, template = transfer.sender.address, "transfers/progress"
        if told.message is not None and corrects:
            # XEP-0308 section 4: each correction names the first message.
            await self.reply_sender.correct(told.message, to, language, template, transfer=transfer)
        else:
            told.message = await self.reply_sender.say(to, language, template, transfer=transfer)
            told.corrected = corrects
        told.at_s, told.done_bytes = transfer.age_s, transfer.progress.done_bytes
        told.fraction = transfer.progress.fraction or 0.0


def is_due(told: Told, age_s: float, progress: Progress, *, corrects: bool) -> bool:
    """Return whether a message is due. None is while no byte has moved since the last one."""
    if progress.done_bytes == told.done_bytes:
        return False
    if corrects:
        return told.message is None or age_s - told.at_s >= CORRECTED_EVERY_S
    fraction = progress.fraction
    return fraction is not None and any(told.fraction < mark <= fraction for mark in MARKS)
