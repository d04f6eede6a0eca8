"""Port of commands as forms: what a session of XEP-0050 asks the bot for."""

from collections.abc import Sequence
from typing import Protocol

from filebot.model import CommandItem, FormAction, FormStep, Sender, Submission


class CommandFill(Protocol):
    """Command that one person fills in, step by step.

    Its methods are called one after the other. They answer what is wrong with a value, and what fails,
    with a step that says so in words; they raise nothing but NotAllowed, for a person who has no right to
    the command any more.
    """

    async def take(self, action: FormAction, values: Submission) -> FormStep:
        """Go on with what was filled in, by ``NEXT`` or ``COMPLETE``."""
        ...

    async def previous(self) -> FormStep:
        """Return the step before the present one; the first one if there is none."""
        ...


class CommandForms(Protocol):
    """Commands that people can fill in."""

    async def items(self, sender: Sender, language: str | None) -> Sequence[CommandItem]:
        """Return the commands that somebody may use where they are, by name.

        ``language`` is what their client says. There are none for people whom the bot does not answer.
        """
        ...

    async def item(self, sender: Sender, language: str | None, node: str) -> CommandItem | None:
        """Return one of :meth:`items`, or None."""
        ...

    async def begin(self, sender: Sender, language: str | None, node: str) -> tuple[CommandFill, FormStep]:
        """Begin a command; return it and its first step, which is the last one if nothing is to be asked.

        Raises UnknownCommand if there is no such command, NotAllowed or WrongPlace if the sender may not
        use it, and TooManyRequests.
        """
        ...
