"""Commands of the tests' own behind the port ``CommandForms``."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from filebot.errors import NotAllowed, UnknownCommand
from filebot.model import (
    Column,
    CommandItem,
    FieldKind,
    Form,
    FormAction,
    FormField,
    FormOption,
    FormStep,
    Sender,
    Severity,
    Submission,
    Table,
)

WHICH = Form(
    "Send a file",
    "Which file?",
    (
        FormField(
            "file",
            FieldKind.CHOICE,
            "File",
            is_required=True,
            options=(FormOption("1", "a.pdf"), FormOption("2", "b.pdf")),
        ),
        FormField("note", FieldKind.TEXTS, "Note"),
        FormField("copy", FieldKind.SWITCH, "Keep a copy", values=("false",)),
    ),
)
SURE = Form("Send it?", fields=(FormField("", FieldKind.FIXED, "", values=("b.pdf, 2 MB",)),))
TABLE = Table("Files", (Column("name", "Name"), Column("size", "Size")), (("a.pdf", "1"), ("b.pdf", "2")))
SENT = FormStep("Sent.", table=TABLE)


@dataclass
class Send:
    """Command with two forms: which file, and whether it is the right one."""

    commands: "ScriptedCommands"
    taken: list[Submission] = field(default_factory=list)

    @property
    def first(self) -> FormStep:
        return FormStep(form=WHICH, actions=(FormAction.NEXT,))

    async def take(self, action: FormAction, values: Submission) -> FormStep:
        self.commands.carried_out.append((action, dict(values)))
        await self.commands.before()
        self.taken.append(values)
        if action is FormAction.NEXT:
            return FormStep(form=SURE, actions=(FormAction.COMPLETE, FormAction.PREVIOUS))
        return self.commands.result

    async def previous(self) -> FormStep:
        if self.taken:
            self.taken.pop()
        return self.first


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass
class ScriptedCommands:
    """Commands ``send``, with two forms, and ``list``, without one; some people may use neither."""

    result: FormStep = SENT
    before: Callable[[], Awaitable[None]] = _at_once
    """Wait of ``list``, and of each step of ``send`` but the first."""
    denied: set[str] = field(default_factory=set)
    """Identities, or nicks, of people who may do nothing."""
    carried_out: list[tuple[FormAction, Mapping[str, tuple[str, ...]]]] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    languages: list[str | None] = field(default_factory=list)

    async def items(self, sender: Sender, language: str | None) -> list[CommandItem]:
        self.senders.append(sender)
        self.languages.append(language)
        if self._is_denied(sender):
            return []
        return [CommandItem("list", "List"), CommandItem("send", "Send a file")]

    async def item(self, sender: Sender, language: str | None, node: str) -> CommandItem | None:
        return next((each for each in await self.items(sender, language) if each.node == node), None)

    async def begin(self, sender: Sender, language: str | None, node: str) -> tuple[Send, FormStep]:
        self.senders.append(sender)
        self.languages.append(language)
        if self._is_denied(sender):
            raise NotAllowed(reason="admin")
        fill = Send(self)
        if node == "list":
            await self.before()
            return fill, self.result
        if node != "send":
            raise UnknownCommand(node)
        return fill, fill.first

    def _is_denied(self, sender: Sender) -> bool:
        return bool(self.denied & {sender.identity, sender.nick})


FAILED = FormStep("It failed.", Severity.ERROR)


async def forever() -> None:
    """Wait for something that does not happen."""
    await asyncio.Event().wait()
