"""Command that one person fills in, stage by stage.

Theory of operation. A stage has the values that are filled in so far, and what is asked beside the form::

    begin --> form -- complete --> run --> over, with what was replied
               ^ ^                 | |
               | +-- with the error  +--> question -- complete --> run
               +-------- prev ---------------+

A command without parameters is run at once. A question is which file is meant, or that of ``ctx.confirm``.
Each step looks at the rights anew, and makes the form anew: a fill keeps nothing but the values.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from filebot.chat.forms.questions import Confirm, Which, which_file
from filebot.chat.forms.reading import Misfit, given, has_form, match_of
from filebot.chat.forms.steps import Person, Step, StepServices, StepWork
from filebot.errors import (
    AmbiguousName,
    BadValue,
    DuplicateName,
    FilebotError,
    MessageTooLong,
    TooManyRequests,
    TransferError,
    UnknownCommand,
    UserError,
    WrongPlace,
)
from filebot.model import LONGEST_TEXT, FormAction, FormStep, Severity, Submission
from filebot.plugin.confirmation import Question

log = logging.getLogger(__name__)

MOST_QUESTIONS: Final = 8
"""Stages that one can go back to; each keeps the values as they were before."""


@dataclass(frozen=True, slots=True)
class Stage:
    """State of a command that is filled in."""

    values: Submission = field(default_factory=dict)
    asked: Which | Confirm | None = None
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
        """Return the step before the present one; the present one if there is none."""
        if self._past:
            self._stage = self._past.pop()
        return await self._go_on(self._show, 0)

    async def _go_on(self, work: StepWork, size_bytes: int) -> FormStep:
        services = self._services()
        services.must_be_there(self._person)
        try:
            return await services.run(self._person, self._node, work, size_bytes)
        except (TooManyRequests, UnknownCommand, WrongPlace) as error:
            return await services.error(self._person, error)

    async def _begin(self, step: Step) -> FormStep:
        return await (self._show(step) if has_form(step.command) else self._run({}, step))

    async def _take(self, submitted: Submission, step: Step) -> FormStep:
        asked, before = self._stage.asked, self._stage.values
        length = sum(len(text) for texts in submitted.values() for text in texts)
        if length > LONGEST_TEXT:
            return await self._again(MessageTooLong(length=length, limit=LONGEST_TEXT), step)
        values: Submission | None = given(step.command, submitted)
        match asked:
            case Confirm(question):
                return await self._called(step.calls.go_on(question, step.conversation), before, step)
            case Which() if values is not None:
                values = asked.answered(before, values)
        return await (self._show(step) if values is None else self._run(values, step))

    async def _run(self, values: Submission, step: Step) -> FormStep:
        """Call the command with the values, and return what comes of it."""
        try:
            match = match_of(step.command, values, step.now)
        except Misfit as misfit:
            return await self._form(_misfit(misfit, step), values, step)
        except BadValue as error:
            return await self._again(error, step, values)
        called = step.calls.run(step.command, step.conversation, match.values, usage=match.usage)
        return await self._called(called, values, step)

    async def _called(self, called: Awaitable[Question | None], values: Submission, step: Step) -> FormStep:
        try:
            question = await called
        except (AmbiguousName, DuplicateName) as error:
            asked = await which_file(error, values, step.maker)
            return await (
                self._again(error, step, values) if asked is None else self._ask(asked, values, step)
            )
        except (UserError, TransferError) as error:
            return await self._again(error, step, values)
        if question is not None:
            return await self._ask(Confirm(question), values, step)
        replies = step.replies
        if replies.errors and replies.errors == len(replies.texts):
            return await self._form(replies.text, values, step)
        return step.result()

    async def _ask(self, asked: Which | Confirm, values: Submission, step: Step) -> FormStep:
        if has_form(step.command) and len(self._past) < MOST_QUESTIONS:
            self._past.append(Stage(values) if self._stage.asked is None else self._stage)
        self._stage = Stage(values, asked)
        # Replies from before the question are not lost.
        return await self._show(step, step.replies.text)

    async def _again(self, error: FilebotError, step: Step, values: Submission | None = None) -> FormStep:
        """Return the form with the words for an error; without ``values``, with those of before."""
        log.info("%s: %s", type(error).__name__, error)
        if isinstance(error, BadValue):
            error.word = step.maker.label_of_word(error.word)
        await step.conversation.reply_error(error, plugin=step.command.plugin)
        return await self._form(step.replies.text, values, step)

    async def _form(self, text: str, values: Submission | None, step: Step) -> FormStep:
        """Return the form with what was filled in, and an error in words."""
        if not has_form(step.command):
            return step.result()
        if values is not None:
            self._stage = Stage(values)
            self._past.clear()
        return await self._show(step, text, Severity.ERROR)

    async def _show(self, step: Step, text: str = "", severity: Severity = Severity.INFO) -> FormStep:
        """Return the present stage as a form."""
        asked, actions = self._stage.asked, [FormAction.COMPLETE]
        form = await step.maker.form(self._stage.values) if asked is None else asked.form(step.maker)
        if self._past:
            actions.append(FormAction.PREVIOUS)
        return FormStep(text, severity, form, actions=tuple(actions))


def _misfit(misfit: Misfit, step: Step) -> str:
    template = "forms/missing" if misfit.missing else "forms/superfluous"
    labels = [step.maker.label(name) for name in misfit.missing or misfit.superfluous]
    return step.conversation.render(template, labels=labels)
