"""Errors of commands, and of people who ask too much or too fast."""

from filebot.errors.base import UserError


class DiagnosticsRunning(UserError):
    """The person's ways are being tested already."""


class TooManyRequests(UserError):
    """The person asks faster than the bot answers."""


class MessageTooLong(UserError):
    """The text of a message is longer than any command."""

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(f"{length} characters, limit {limit}")
        self.length = length
        self.limit = limit


class NotAllowed(UserError):
    """The person may see the thing but not do this to it.

    ``reason`` is one of ``hidden`` (the room hides who it is), ``strange`` (the room says who it is, but
    its word does not count), ``unserved`` (not one of the people whose files are kept), ``owner`` (it is
    somebody else's), ``voice`` (nobody may speak in that room who is only a visitor there), ``mute`` (the
    bot is one), ``members`` (it is for the room's members), ``left`` (it is for people in a room where they
    are no more), ``room`` (it is for its owners and admins), ``unseen`` (it is, and the room
    does not show who is one), ``leave`` (it is for them and for those who
    brought the bot there) or ``admin`` (it is for those who run the bot).
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadCommand(UserError):
    """A known command with words that do not fit its usage; with none at all if they are ``missing``."""

    def __init__(self, *, command: str, usage: tuple[str, ...], missing: bool = False) -> None:
        super().__init__(command)
        self.command = command
        self.usage = usage
        self.missing = missing


class UnknownCommand(UserError):
    """The first word is no command."""

    def __init__(self, word: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(word)
        self.word = word
        self.suggestions = suggestions


class NoSuchTransfer(UserError):
    """None of the person's running transfers has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number
