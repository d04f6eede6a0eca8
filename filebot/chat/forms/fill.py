"""Command that one person fills in, stage by stage.

Theory of operation. A stage has the values that are filled in so far, and what is asked beside the form::

    begin --> form -- complete --> run --> over, with what was replied
               ^ ^                 | |
               | +-- with the error  +--> question -- complete --> run
               +-------- prev ---------------+

A command without parameters is run at once. Each step looks at the rights anew, and makes the form anew: a
fill keeps nothing but the values.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from filebot.chat.forms.fields import MOST_OPTIONS
from filebot.chat.forms.reading import Misfit, given, has_form, match_of
from filebot.chat.forms.steps import Person, Step, StepServices
from filebot.errors import (
    AmbiguousName,
    BadValue,
    DuplicateName,
    FilebotError,
    MessageTooLong,
    NoSuchEntry,
    TooManyRequests,
    TransferError,
    UnknownCommand,
    UserError,
    WrongPlace,
)
from filebot.filenames import plain_text
from filebot.model import (
    LONGEST_TEXT,
    Entry,
    FieldKind,
    Form,
    FormAction,
    FormField,
    FormOption,
    FormStep,
    Severity,
    Submission,
)

log = logging.getLogger(__name__)

MOST_QUESTIONS: Final = 8
"""Questions that one command asks back; each keeps the values as they were before."""


@dataclass(frozen=True, slots=True)
class Which:
    """Question which file is meant by a name that fits several."""

    parameter: str
    wanted: str
    options: tuple[FormOption, ...]

    def answered(self, values: Submission, answer: Submission) -> Submission:
        """Return the values with the answer in place of the name; the same values if there is none."""
        chosen = answer.get(self.parameter, ())[:1]
        if not chosen:
            return values
        before = values.get(self.parameter, ())
        after = [chosen[0] if _is_same_name(each, self.wanted) else each for each in before]
        return {**values, self.parameter: tuple(after)}

    def form(self, step: Step) -> Form:
        """Return the form that asks it. Another name may be typed: not all that fit are offered."""
        question = step.conversation.render("forms/which", wanted=self.wanted)
        label = step.maker.label(self.parameter)
        options = FormField(
            self.parameter, FieldKind.CHOICE, label, is_required=True, options=self.options, is_open=True
        )
        return Form(step.maker.summary(), question, (options,))


@dataclass(frozen=True, slots=True)
class Stage:
    """State of a command that is filled in."""

    values: Submission = field(default_factory=dict)
    asked: Which | None = None
    """Question of this stage; None for the form itself."""


class Fill:
    """Command that one person fills in."""

    def __init__(self, services: Callable[[], StepServices], person: Person, node: str) -> None:
        """``services`` gives those of the plugins in force."""
        self._services = services
        self._person = person
        self._node = node
        self._stage = Stage()
        self._past: list[Stage] = []

    async def begin(self) -> FormStep:
        """Return the first step. Raises as ``CommandForms.begin``."""
        return await self._services().run(self._person, self._node, self._begin)

    async def take(self, action: FormAction, values: Submission) -> FormStep:
        """Go on with what was filled in, by ``NEXT`` or ``COMPLETE``, which are one here."""
        size = sum(len(name) + sum(map(len, texts)) for name, texts in values.items())
        return await self._go_on(partial(self._take, values), size)

    async def previous(self) -> FormStep:
        """Return the step before the present one; the first one if there is none."""
        if self._past:
            self._stage = self._past.pop()
        return await self._go_on(self._show, 0)

    async def _go_on(self, work: Callable[[Step], Awaitable[FormStep]], size_bytes: int) -> FormStep:
        services = self._services()
        services.must_be_there(self._person)
        try:
            return await services.run(self._person, self._node, work, size_bytes)
        except (TooManyRequests, UnknownCommand, WrongPlace) as error:
            return await services.error(self._person, error)

    async def _begin(self, step: Step) -> FormStep:
        if has_form(step.command):
            return await self._show(step)
        return await self._run({}, step)

    async def _take(self, submitted: Submission, step: Step) -> FormStep:
        asked, before = self._stage.asked, self._stage.values
        length = sum(len(text) for texts in submitted.values() for text in texts)
        if length > LONGEST_TEXT:
            return await self._again(MessageTooLong(length=length, limit=LONGEST_TEXT), step)
        answer = given(step.command, submitted)
        values = answer if asked is None else asked.answered(before, answer)
        if asked is not None and values == before:
            return await self._show(step)
        return await self._run(values, step)

    async def _run(self, values: Submission, step: Step) -> FormStep:
        """Call the command with the values, and return what comes of it."""
        conversation, command, replies = step.conversation, step.command, step.replies
        try:
            match = match_of(command, values, step.now)
            question = await step.calls.run(command, conversation, match.values, usage=match.usage)
        except Misfit as misfit:
            return await self._again(misfit, step, values)
        except (AmbiguousName, DuplicateName) as error:
            if step.is_late or (asked := await _which(error, values, step)) is None:
                return await self._again(error, step, values)
            return await self._ask(asked, values, step)
        except (UserError, TransferError) as error:
            return await self._again(error, step, values)
        if question is None and replies.errors and replies.errors == len(replies.texts):
            return await self._again(None, step, values)
        return step.result() if question is None else FormStep(question.text, Severity.WARNING)

    async def _again(
        self, error: FilebotError | Misfit | None, step: Step, values: Submission | None = None
    ) -> FormStep:
        """Return the form with what was filled in, and the words for an error that is not replied yet."""
        if isinstance(error, Misfit):
            text = _misfit(error, step)
        else:
            if error is not None:
                log.info("%s: %s", type(error).__name__, error)
                await step.conversation.reply_error(_in_labels(error, step), plugin=step.command.plugin)
            text = "\n\n".join(step.replies.texts)
        if not has_form(step.command):
            return step.result()
        if values is not None:
            self._stage = Stage(values)
            self._past.clear()
        return await self._show(step, text, Severity.ERROR)

    async def _ask(self, asked: Which, values: Submission, step: Step) -> FormStep:
        if len(self._past) == MOST_QUESTIONS:
            self._past.pop()
        self._past.append(Stage(values) if self._stage.asked is None else self._stage)
        self._stage = Stage(values, asked)
        return await self._show(step)

    async def _show(self, step: Step, text: str = "", severity: Severity = Severity.INFO) -> FormStep:
        """Return the present stage as a form."""
        asked, actions = self._stage.asked, [FormAction.COMPLETE]
        form = await step.maker.form(self._stage.values) if asked is None else asked.form(step)
        if self._past:
            actions.append(FormAction.PREVIOUS)
        return FormStep(text, severity, form, actions=tuple(actions))


async def _which(error: AmbiguousName | DuplicateName, values: Submission, step: Step) -> Which | None:
    """Return the question which file is meant; None if the name is not one that was filled in."""
    wanted = error.wanted if isinstance(error, AmbiguousName) else error.name
    names = (name for name, texts in values.items() if any(_is_same_name(each, wanted) for each in texts))
    parameter = next(names, None)
    if parameter is None:
        return None
    if isinstance(error, AmbiguousName):
        options = [FormOption(name, name) for name in error.candidates]
    else:
        options = [*step.maker.file_options(await _entries(error.ids, step))]
    return Which(parameter, wanted, tuple(options))


async def _entries(ids: Sequence[int], step: Step) -> list[Entry]:
    found = list[Entry]()
    for each in ids[:MOST_OPTIONS]:
        with suppress(NoSuchEntry):
            found.append(await step.maker.resolver.files.with_id(each))
    return found


def _is_same_name(one: str, other: str) -> bool:
    return plain_text(one).casefold() == other.casefold()


def _in_labels(error: FilebotError, step: Step) -> FilebotError:
    """Return an error about a value with the label of its field in place of its word."""
    if isinstance(error, BadValue):
        named = [each.name for each in step.command.parameters if each.word == error.word]
        error.word = "".join(map(step.maker.label, named)) or error.word
    return error


def _misfit(misfit: Misfit, step: Step) -> str:
    template = "forms/missing" if misfit.missing else "forms/superfluous"
    labels = [step.maker.label(name) for name in misfit.missing or misfit.superfluous]
    return step.conversation.render(template, labels=labels)
