"""Commands that came too late, gathered by person and answered once.

Many of them come at once after an outage of the bot, when nobody waits for their answers any more.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from filebot.concurrency.debouncer import Debouncer
from filebot.model import Address, IncomingMessage
from filebot.plugin.conversation import Conversation

STALE_AFTER: Final = timedelta(minutes=2)
"""Older commands are not carried out: nobody waits for their answers any more."""
QUIET_S: Final = 2.0
"""Pause without further late commands after which a person is answered."""
LONGEST_S: Final = 30.0
"""Longest time after which a person is answered, even if further late commands keep coming."""
TEXTS_SHOWN: Final = 5
TEXT_SHOWN: Final = 100
"""Characters shown of each command."""


@dataclass(slots=True, eq=False)
class _Gathered:
    since: datetime
    maybe_done: bool = False
    """Whether a run of the bot that was killed may have carried one of them out."""
    count: int = 0
    texts: list[str] = field(default_factory=list)
    came: Debouncer = field(default_factory=lambda: Debouncer(QUIET_S, LONGEST_S))
    told: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class LateCommands:
    """Gathers late commands, and tells each person once that theirs are not carried out."""

    def __init__(self) -> None:
        self._gathered: dict[Address, _Gathered] = {}

    async def tell(
        self, conversation: Conversation, text: str, since: datetime, *, maybe_done: bool
    ) -> None:
        """Tell somebody that the command of the time ``since`` is not carried out now; return when they are
        told.
        """
        address = conversation.sender.address.conversation
        gathered = self._gathered.get(address)
        if gathered is not None:
            _add(gathered, text, since, maybe_done=maybe_done)
            await asyncio.shield(gathered.told)
            return
        gathered = self._gathered[address] = _Gathered(since)
        _add(gathered, text, since, maybe_done=maybe_done)
        try:
            await gathered.came.settled()
            del self._gathered[address]
            await conversation.reply(
                "reception/late",
                texts=gathered.texts,
                count=gathered.count,
                since=gathered.since,
                maybe_done=gathered.maybe_done,
            )
        except asyncio.CancelledError:
            gathered.told.cancel()
            raise
        finally:
            if self._gathered.get(address) is gathered:
                del self._gathered[address]
            if not gathered.told.done():
                gathered.told.set_result(None)


def _add(gathered: _Gathered, text: str, since: datetime, *, maybe_done: bool) -> None:
    gathered.came.signal()
    gathered.since = min(gathered.since, since)
    gathered.maybe_done |= maybe_done
    gathered.count += 1
    shown = text[:TEXT_SHOWN]
    if shown not in gathered.texts and len(gathered.texts) < TEXTS_SHOWN:
        gathered.texts.append(shown)


def is_late(message: IncomingMessage, now: datetime) -> bool:
    """Return whether a command comes too late to be carried out."""
    since = message.delayed_since
    return message.maybe_handled or (since is not None and now - since > STALE_AFTER)
