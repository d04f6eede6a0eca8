"""Questions that commands ask back, and the answers: nothing goes on before the person said yes.

A command that asks ends there. When the same person says yes in the same conversation, it runs again from
its beginning, with the arguments that it had; its files are looked up again by their ids. Questions are
held in memory only, so none outlasts a restart.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from filebot.concurrency.bounded_store import ByteBounded, Share
from filebot.files.access import unknown
from filebot.files.selection import Selection
from filebot.model import Address, Entry, Identity, Sender
from filebot.plugin.commands import Command
from filebot.plugin.effects import CommandRun

ANSWER_WITHIN: Final = timedelta(minutes=2)
"""Age of the oldest question that can still be answered."""
QUESTIONS_BYTES: Final = 8 * 1024 * 1024
"""Memory for all open questions; the oldest are forgotten."""
MOST_QUESTIONS: Final = 1000
_IN_A_ROOM: Final = 4
"""Part of both that all people of one room have: its service can make up any number of them."""

YES: Final = frozenset(
    (
        *("yes", "y", "yeah", "yep", "ok", "okay", "sure"),
        *("是", "是的", "好", "好的", "对", "可以", "确认", "确定"),
    )
)
NO: Final = frozenset(("no", "n", "nope", "不", "不是", "不要", "否", "取消"))
ANSWERS: Final = YES | NO
"""Words that answer a question; none of them can be a command's name."""

YES_EMOJI: Final = frozenset("👍👌✅✔☑")
NO_EMOJI: Final = frozenset("👎❌✖❎🚫")
"""Reactions that answer a question (XEP-0444), without skin tones and variation selectors."""
_VARIANTS: Final = dict.fromkeys((0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)))

_LONGEST: Final = 20
"""Characters of the longest text that is looked at as an answer."""
_SIGNS: Final = " \t\n.!。、,"


@dataclass(frozen=True, slots=True)
class Asked:
    """Question as the person reads it."""

    template: str
    text: str
    """The question in the person's language, without how to answer it."""
    files: frozenset[int]
    """Ids of the files that it is about."""

    @classmethod
    def about(cls, template: str, text: str, values: Mapping[str, object]) -> Self:
        """Return the question of a template that was filled with values."""
        return cls(
            template, text, frozenset(entry.id for each in values.values() for entry in _files(each))
        )

    def is_answered_by(self, other: "Asked", *, files_changed: bool) -> bool:
        """Whether a yes to another question is one to this: the same words, about the same files.

        ``files_changed``: some are gone or renamed since, so the words may tell of fewer.
        """
        same = self == other if not files_changed else self.files <= other.files
        return same and self.template == other.template


class ConfirmationNeeded(Exception):
    """A command needs a person's word before it goes on.

    It is no FilebotError, so that a plugin that deals with errors of files one by one lets it pass.
    """

    def __init__(self, confirmed: tuple[Asked, ...]) -> None:
        """``confirmed`` has the questions so far, the new one as the last."""
        super().__init__(confirmed[-1].template)
        self.confirmed = confirmed


class Confirmations:
    """Questions that were answered with yes, in the order in which one run of a command asks them again."""

    def __init__(
        self,
        given: tuple[Asked, ...] = (),
        *,
        files_changed: bool = False,
        named: frozenset[int] = frozenset(),
    ) -> None:
        """``given`` has the questions. ``files_changed``: files are gone or renamed since.

        ``named`` has all files that were named when it was asked whether the command was meant: a first
        question about no others is answered with that.
        """
        self._given = given
        self.named = named
        self._is_named_used = False
        self._files_changed = files_changed
        self._next = 0
        self.is_refused = False
        """Whether a question was asked that nobody has answered."""

    def require(self, sender: Sender, asked: Asked) -> None:
        """Raise ConfirmationNeeded unless the next answer is to this question.

        Raises NotAllowed for somebody of whom nothing but a nick is known: another may take that.
        """
        given = self._given[self._next : self._next + 1]
        if any(asked.is_answered_by(each, files_changed=self._files_changed) for each in given):
            self._next += 1
            return
        if asked.files and asked.files <= self.named and not self._is_named_used:
            self._is_named_used = True
            return
        self.is_refused = True
        if sender.identity is None:
            raise unknown(sender)
        raise ConfirmationNeeded((*self._given[: self._next], asked))


@dataclass(frozen=True, slots=True)
class PinnedFiles:
    """Files among the arguments of a command that waits, by their ids."""

    ids: tuple[int, ...]
    missing: tuple[str, ...] = ()
    """Names that stood for no file."""
    names: tuple[str, ...] = ()
    """Names of the files when they were asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """Question that a command asks back, with all that it takes to go on."""

    command: Command
    usage: str
    arguments: Mapping[str, object]
    """Arguments of its function; files are ``PinnedFiles``."""
    confirmed: tuple[Asked, ...]
    """The questions that are answered when this one is, which is the last of them."""
    replies_to: str
    """Id of the message that the command was a reply to."""
    meant: str = ""
    """The question in the person's language whether this command was meant; empty if the command asks."""
    named: frozenset[int] = frozenset()
    """Ids of all files that such a question names."""
    then: tuple["Question", ...] = ()
    """Questions that are asked when this one is answered."""
    runs: tuple[CommandRun, ...] = ()
    """Runs of the command that led to it: what a yes does counts as done by that."""
    rest: str = ""
    """Text that is read when the command is done."""

    @property
    def text(self) -> str:
        """The question in the person's language, without how to answer it."""
        return self.meant or self.confirmed[-1].text


def answer_in(text: str) -> bool | None:
    """Return what a text answers: True for yes, False for no, None if it is no answer."""
    if len(text) > _LONGEST:
        return None
    word = unicodedata.normalize("NFKC", text).casefold().strip(_SIGNS)
    word = word.removesuffix("please").rstrip(_SIGNS) or word
    if word in YES:
        return True
    return False if word in NO else None


def answer_by(emoji: Sequence[str]) -> bool | None:
    """Return what somebody's reactions to a question answer; None if nothing, or both."""
    plain = {each.translate(_VARIANTS) for each in emoji}
    says_yes, says_no = not plain.isdisjoint(YES_EMOJI), not plain.isdisjoint(NO_EMOJI)
    return None if says_yes == says_no else says_yes


@dataclass(frozen=True, slots=True)
class _Open:
    question: Question
    since: datetime
    message_id: str = ""
    """The bot's own id of the message with the question."""


class OpenQuestions:
    """Questions that wait for their answers, one for each person and conversation."""

    def __init__(self) -> None:
        self._open = ByteBounded[tuple[Address, Identity], _Open]()

    def put(self, sender: Sender, question: Question, now: datetime) -> bool:
        """Keep a question as the only one to its person there; return whether there is space for it."""
        key = _key(sender)
        if key is None:
            return False
        return self._put(key, sender, _Open(question, now))

    def asked_in(self, sender: Sender, message_id: str) -> None:
        """Note the bot's message that asked somebody the question that is open to them."""
        key = _key(sender)
        if key is not None and (found := self._open.get(key)) is not None:
            self._put(key, sender, replace(found, message_id=message_id))

    def is_asked_in(self, sender: Sender, message_id: str, now: datetime) -> bool:
        """Whether this message of the bot's asked what can still be answered by somebody."""
        key = _key(sender)
        found = None if key is None else self._open.get(key)
        if found is None or not message_id or found.message_id != message_id:
            return False
        return now - found.since <= ANSWER_WITHIN

    def _put(self, key: tuple[Address, Identity], sender: Sender, open_: _Open) -> bool:
        shares = [Share("", QUESTIONS_BYTES, MOST_QUESTIONS)]
        if sender.room is not None:
            shares.append(Share(sender.room, QUESTIONS_BYTES // _IN_A_ROOM, MOST_QUESTIONS // _IN_A_ROOM))
        return self._open.put(key, open_, shares)  # with its command, some kilobytes

    def is_waiting(self, sender: Sender) -> bool:
        """Tell whether there is a question to somebody where they speak, however old."""
        key = _key(sender)
        return key is not None and self._open.get(key) is not None

    def take(self, sender: Sender, now: datetime) -> Question | None:
        """Return the question to somebody where they speak, and forget it; None if there is none."""
        key = _key(sender)
        found = None if key is None else self._open.pop(key)
        return found.question if found is not None and now - found.since <= ANSWER_WITHIN else None


def _key(sender: Sender) -> tuple[Address, Identity] | None:
    # In public only the one who was asked may answer; a nick is nobody's own.
    return None if sender.identity is None else (sender.address.conversation, sender.identity)


def _files(value: object) -> Sequence[Entry]:
    """Return the files in a value of a template."""
    match value:
        case Entry():
            return (value,)
        case Selection():
            return value.entries
        case list() | tuple() | set() | frozenset():
            return [each for each in value if isinstance(each, Entry)]
        case _:
            return ()
