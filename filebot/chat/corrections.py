"""Commands of the last time by the ids of their messages, so that they can be corrected (XEP-0308).

Only the author of a message can correct it. A corrected command is carried out once more, but not if the
first version has removed, renamed or sent something, or is about to. Held in memory only.
"""

from collections.abc import Sequence
from typing import Final

from filebot.concurrency.bounded_store import ByteBounded, Share
from filebot.model import Address, Identity, IncomingMessage, MessageIds, Sender
from filebot.plugin.effects import CommandRun

MOST_COMMANDS: Final = 2000
MOST_COMMANDS_OF_ONE: Final = 20
COMMANDS_BYTES: Final = 8 * 1024 * 1024

_Key = tuple[Address, Identity, str]


class RecentCommands:
    """Runs of commands by conversation, author and the client's ids of the message."""

    def __init__(self) -> None:
        self._runs = ByteBounded[_Key, CommandRun]()

    def begin(self, message: IncomingMessage, run: CommandRun | None = None) -> CommandRun:
        """Return the run of a command, remembered by all ids of its message."""
        run = run or CommandRun(message.text)
        sender = message.sender
        if sender.author is not None:
            of_one = Share(sender.author, COMMANDS_BYTES // 8, MOST_COMMANDS_OF_ONE)
            shares = (of_one, Share("", COMMANDS_BYTES, MOST_COMMANDS))
            for key in _keys(sender, message.ids):
                self._runs.put(key, run, shares)
        return run

    def of(self, message: IncomingMessage) -> CommandRun | None:
        """Return the run of the command that a message corrects; None if its author has none there."""
        keys = _keys(message.sender, [MessageIds(own=(message.replaces,))])
        return next((run for key in keys if (run := self._runs.get(key)) is not None), None)


def _keys(sender: Sender, ids: Sequence[MessageIds]) -> list[_Key]:
    if sender.author is None:
        return []
    where = sender.address.conversation
    return [(where, sender.author, own) for each in ids for own in each.own]
