"""Errors of commands, and of people who ask too much or too fast."""

from filebot.errors.base import FilebotError, UserError


class CommandTimeout(FilebotError):
    """A command took longer than its plugin says that it may."""

    def __init__(self, *, command: str, limit_s: float) -> None:
        super().__init__(f"{command} took over {limit_s:g} s")
        self.command = command
        self.limit_s = limit_s


class TooManyRequests(UserError):
    """The person asks faster than the bot answers."""


class MessageTooLong(UserError):
    """The text of a message is longer than any command."""

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(f"{length} characters, limit {limit}")
        self.length = length
        self.limit = limit


class BadForm(UserError):
    """A form was filled in so that it cannot be used.

    ``problem`` is one of ``missing`` (the field must have a value), ``choice`` (the value is none of those
    that the field offers), ``value`` (it is of the wrong kind), or, without a field, ``form`` (it is not
    the form that was shown) or ``size`` (too much was filled in). ``field`` is the field's label.
    """

    def __init__(self, *, problem: str, field: str = "") -> None:
        super().__init__(f"{problem}: {field}" if field else problem)
        self.problem = problem
        self.field = field


class NotAllowed(UserError):
    """The person may see the thing but not do this to it.

    ``reason`` is one of ``hidden`` (the room hides the person's JID), ``strange`` (the room shows it, but
    is not trusted), ``unserved`` (the bot keeps no files of this person), ``owner`` (the file is somebody
    else's), ``voice`` (the person is a visitor in that room, without voice), ``mute`` (the bot is a visitor
    there), ``members`` (the room's files are for its members), ``member`` (the command is), ``left`` (for
    people in the room, and the person has left it), ``room`` (for the room's owners and admins), ``unseen``
    (likewise, and the room does not show who they are), ``leave`` (for them and for the person who brought
    the bot there) or ``admin`` (for those who run the bot).
    """

    def __init__(self, *, reason: str, file: str = "") -> None:
        """``file`` is the name of the file that it is about, if that is one of several."""
        super().__init__(reason)
        self.reason = reason
        self.file = file


class BadCommand(UserError):
    """The words of a command do not fit its usage, or are ``missing``."""

    def __init__(self, *, command: str, usage: tuple[str, ...], missing: bool = False) -> None:
        super().__init__(command)
        self.command = command
        self.usage = usage
        self.missing = missing

    def as_typed(self, word: str) -> "BadCommand":
        """Return the error in terms of another word for the command, which was typed."""
        usage = tuple(word + line.removeprefix(self.command) for line in self.usage)
        return BadCommand(command=word, usage=usage, missing=self.missing)


class BadValue(UserError):
    """A value of a command is of the wrong kind, or out of bounds."""

    def __init__(
        self,
        *,
        command: str,
        usage: tuple[str, ...],
        word: str,
        value: str,
        kind: str,
        choices: tuple[str, ...] = (),
        bounds: tuple[int, int] | None = None,
    ) -> None:
        """``word`` is the value's word in the usage, ``kind`` a value of ``filebot.plugin.arguments.Kind``;
        ``bounds`` are the lowest and the highest number allowed.
        """
        super().__init__(f"{command}: {word}: {kind}")
        self.command = command
        self.usage = usage
        self.word = word
        self.value = value
        self.choices = choices
        self.bounds = bounds
        self.wanted = kind


class WrongPlace(UserError):
    """The command is for a ``room``, or for a ``private`` chat, and the person speaks elsewhere."""

    def __init__(self, *, command: str, place: str) -> None:
        super().__init__(f"{command}: {place}")
        self.command = command
        self.place = place


class NothingToConfirm(UserError):
    """The person answers a question that the bot does not ask any more, or answers it ``late``."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("late" if late else "no question")
        self.late = late


class NoFileInReply(UserError):
    """The message that the person replies to has no file that the bot remembers, or ``several``."""

    def __init__(self, *, several: bool = False) -> None:
        super().__init__("several" if several else "none")
        self.several = several


class UnknownCommand(UserError):
    """The first word is not a command."""

    def __init__(self, word: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(word)
        self.word = word
        self.suggestions = suggestions


class NoSuchTransfer(UserError):
    """None of the person's running transfers has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number
