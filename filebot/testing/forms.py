"""Commands that a test fills in, as a client with forms does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from filebot.model import FieldKind, FormAction, FormField, FormStep
from filebot.ports import CommandFill

_LISTS: Final = {FieldKind.CHOICE, FieldKind.CHOICES}


class Filling:
    """Command that is being filled in."""

    def __init__(
        self,
        fill: CommandFill,
        first: FormStep,
        watched: Callable[[Awaitable[FormStep]], Awaitable[tuple[FormStep, list[str]]]],
        said: list[str],
    ) -> None:
        """``watched`` awaits something, and returns what was said meanwhile as well."""
        self.steps = [first]
        """Answers of the bot, in their order."""
        self.said = said
        """Texts that the bot said in chats meanwhile, to whomever."""
        self._fill = fill
        self._watched = watched

    @property
    def step(self) -> FormStep:
        """The last answer."""
        return self.steps[-1]

    @property
    def text(self) -> str:
        """The words of the last answer: its note, else the question of its form."""
        return self.step.text or (self.step.form.instructions if self.step.form else "")

    @property
    def fields(self) -> Mapping[str, FormField]:
        """Fields of the last form, by name."""
        return {each.name: each for each in self.step.form.fields} if self.step.form else {}

    async def answer(self, **values: str | Sequence[str]) -> FormStep:
        """Fill in the last form and complete it; return the answer.

        Fields that are not named keep the values that stand in them. Raises ValueError for a field that
        the form does not have, and a value that it does not offer: such are turned away before any plugin.
        """
        submitted = {name: field.values for name, field in self.fields.items()}
        for name, value in values.items():
            submitted[name] = _checked(self.fields, name, value)
        return await self._next(self._fill.take(FormAction.COMPLETE, submitted))

    async def back(self) -> FormStep:
        """Go one step back; return that step."""
        return await self._next(self._fill.previous())

    async def _next(self, awaited: Awaitable[FormStep]) -> FormStep:
        step, said = await self._watched(awaited)
        self.steps.append(step)
        self.said += said
        return step


def _checked(fields: Mapping[str, FormField], name: str, value: str | Sequence[str]) -> tuple[str, ...]:
    if name not in fields:
        raise ValueError(f"the form has no field {name!r}, but {', '.join(fields) or 'none'}")
    field, texts = fields[name], (value,) if isinstance(value, str) else tuple(value)
    offered = {each.value for each in field.options}
    if field.kind in _LISTS and not field.is_open and not offered.issuperset(texts):
        raise ValueError(f"the field {name!r} offers only {', '.join(sorted(offered))}")
    return texts
