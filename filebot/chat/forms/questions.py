"""Questions that a command asks back in a form: which file, and whether it may go on."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from filebot.chat.forms.fields import MOST_OPTIONS, FormMaker
from filebot.errors import AmbiguousName, DuplicateName, NoSuchEntry
from filebot.filenames import plain_text
from filebot.model import Entry, FieldKind, Form, FormField, FormOption, Submission
from filebot.plugin.confirmation import Question
from filebot.plugin.resolving import ArgumentResolver


@dataclass(frozen=True, slots=True)
class Confirm:
    """Question of ``ctx.confirm``: whoever completes its form says yes."""

    question: Question

    def form(self, maker: FormMaker) -> Form:
        """Return the form that asks it."""
        return Form(maker.summary(), self.question.text)


@dataclass(frozen=True, slots=True)
class Which:
    """Question which file is meant by a name that fits several."""

    parameter: str
    wanted: str
    options: tuple[FormOption, ...]

    def answered(self, values: Submission, answer: Submission) -> Submission | None:
        """Return the values with the answer in place of the name; None if there is no answer."""
        chosen = answer.get(self.parameter, ())[:1]
        if not chosen:
            return None
        before = values.get(self.parameter, ())
        after = [chosen[0] if _is_same_name(each, self.wanted) else each for each in before]
        return {**values, self.parameter: tuple(after)}

    def form(self, maker: FormMaker) -> Form:
        """Return the form that asks it. Another name may be typed: not all that fit are offered."""
        question = maker.conversation.render("forms/which", wanted=self.wanted)
        options = FormField(
            self.parameter,
            FieldKind.CHOICE,
            maker.label(self.parameter),
            is_required=True,
            options=self.options,
            is_open=True,
        )
        return Form(maker.summary(), question, (options,))


async def which_file(
    error: AmbiguousName | DuplicateName, values: Submission, maker: FormMaker
) -> Which | None:
    """Return the question which file is meant; None if the name is not one that was filled in."""
    wanted = error.wanted if isinstance(error, AmbiguousName) else error.name
    names = (name for name, texts in values.items() if any(_is_same_name(each, wanted) for each in texts))
    parameter = next(names, None)
    if parameter is None:
        return None
    if isinstance(error, AmbiguousName):
        options: Sequence[FormOption] = [FormOption(name, name) for name in error.candidates]
    else:
        options = maker.file_options(await _entries(error.ids, maker.resolver))
    return Which(parameter, wanted, tuple(options))


async def _entries(ids: Sequence[int], resolver: ArgumentResolver) -> list[Entry]:
    found = list[Entry]()
    for each in ids[:MOST_OPTIONS]:
        with suppress(NoSuchEntry):
            found.append(await resolver.files.with_id(each))
    return found


def _is_same_name(one: str, other: str) -> bool:
    return plain_text(one).casefold() == other.casefold()
