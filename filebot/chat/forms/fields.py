"""Fields of a command's form, made from the declarations of its parameters."""

import re
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Final

from filebot.chat.forms.reading import OTHER, USAGE, always_needed, needs_choice, usages_of
from filebot.errors import UserError
from filebot.model import BareJid, Entry, FieldKind, Form, FormField, FormOption, Submission
from filebot.plugin.arguments import Kind, Parameter
from filebot.plugin.commands import Command
from filebot.plugin.conversation import Conversation
from filebot.plugin.resolving import ArgumentResolver

MOST_OPTIONS: Final = 50
MOST_OPTION_BYTES: Final = 16_000
"""Bytes of the options of one list."""

_NOTHING: Final = FormOption("", "-")
"""First option of a list that may be left alone: some clients choose the first one by themselves."""

_KINDS: Final = {
    Kind.FILE: FieldKind.CHOICE,
    Kind.FILES: FieldKind.CHOICES,
    Kind.CHOICE: FieldKind.CHOICE,
    Kind.ROOM: FieldKind.CHOICE,
    Kind.SWITCH: FieldKind.SWITCH,
    Kind.JID: FieldKind.ADDRESS,
}


@dataclass(frozen=True, slots=True)
class FormMaker:
    """Makes the form of a command for one person."""

    command: Command
    conversation: Conversation
    resolver: ArgumentResolver
    rooms: Collection[BareJid]
    """Rooms that the bot is in."""

    def summary(self) -> str:
        """Return the command in a few words."""
        return self.conversation.render("forms/summary", summary=self.command.summary)

    async def form(self, values: Submission) -> Form:
        """Return the form with some values filled in."""
        entries = list[Entry]()
        if any(each.kind.is_file for each in self.command.parameters):
            entries = await self.resolver.files.page(limit=MOST_OPTIONS + 1)
        files = self.file_options(entries[:MOST_OPTIONS])
        fields = [await self._field(each, files) for each in self.command.parameters]
        if needs_choice(self.command):
            fields.insert(0, self._usages())
        fields = [replace(each, values=values.get(each.name, each.values)) for each in fields]
        if len(files) < len(entries):
            fields = [made for each in fields for made in self._with_others(each)]
        return Form(self.summary(), self._instructions(), tuple(fields))

    def file_options(self, entries: Sequence[Entry]) -> Sequence[FormOption]:
        """Return files to choose from."""
        render = self.conversation.render
        return _bounded([FormOption(f"#{each.id}", render("forms/file", entry=each)) for each in entries])

    def label(self, name: str) -> str:
        """Return the label of a field."""
        parameters = self.command.parameters
        kind = next((each.kind.value for each in parameters if each.name == name), "")
        return self.conversation.render(
            "forms/label",
            own=f"{self.command.plugin}/label_{name}",
            name=name,
            wanted=kind,
            is_only_file=sum(each.kind.is_file for each in parameters) == 1,
        )

    def label_of_word(self, word: str) -> str:
        """Return the label of the parameter that usage lines have as ``word``."""
        names = (each.name for each in self.command.parameters if each.word == word)
        return next(map(self.label, names), word)

    async def _field(self, parameter: Parameter, files: Sequence[FormOption]) -> FormField:
        field = FormField(
            parameter.name,
            _KINDS.get(parameter.kind, FieldKind.TEXT),
            self.label(parameter.name),
            is_required=parameter.name in always_needed(self.command),
            description=self._hint(parameter),
        )
        match parameter.kind:
            case Kind.FILE | Kind.FILES:
                field = replace(field, options=tuple(files), is_open=True)
            case Kind.CHOICE:
                words = parameter.choices or ()
                field = replace(field, options=tuple(FormOption(word, word) for word in words))
            case Kind.ROOM:
                field = await self._rooms(field)
            case Kind.SWITCH if field.is_required:
                return replace(field, values=("true" if parameter.default is True else "false",))
            case Kind.SWITCH:
                render = self.conversation.render
                options = [FormOption(word, render("forms/switch", word=word)) for word in ("on", "off")]
                field = replace(field, kind=FieldKind.CHOICE, options=tuple(options))
            case _:
                return field
        if not field.options:
            return replace(field, kind=FieldKind.TEXT, is_open=False)
        if field.kind is FieldKind.CHOICE and not field.is_required:
            return replace(field, options=(_NOTHING, *field.options), values=("",))
        return field

    def _with_others(self, field: FormField) -> Sequence[FormField]:
        """Return a list that has not all files, and a field in which one of the others can be typed."""
        if not field.is_open:
            return (field,)
        listed = {each.value for each in field.options}
        shown = tuple(each for each in field.values if each in listed)
        typed = tuple(each for each in field.values if each not in listed)
        if field.kind is FieldKind.CHOICE and field.is_required:
            field = replace(field, options=(_NOTHING, *field.options))
            shown = shown or ("",)
        other = FormField(f"{OTHER}{field.name}", FieldKind.TEXT, self.label(OTHER), values=typed[:1])
        return (
            replace(field, values=shown, is_required=False),
            replace(other, description=self.conversation.render("forms/hint_other")),
        )

    async def _rooms(self, field: FormField) -> FormField:
        """Add the rooms in which both the person and the bot are; that spoken through comes first."""
        found, here = list[FormOption](), self.conversation.sender.room
        for room in sorted(self.rooms, key=lambda each: (each != here, each)):
            try:
                await self.resolver.rooms.visible(room)
            except UserError:
                continue
            found.append(FormOption(room, room))
            if len(found) == MOST_OPTIONS:
                break
        chosen = (here,) if here is not None and field.is_required and here in self.rooms else ()
        return replace(field, options=tuple(_bounded(found)), values=chosen)

    def _usages(self) -> FormField:
        """Return the field that asks which usage is meant."""
        lines = tuple(FormOption(each.line, each.line) for each in usages_of(self.command))
        return FormField(USAGE, FieldKind.CHOICE, self.label(USAGE), is_required=True, options=lines)

    def _hint(self, parameter: Parameter) -> str:
        """Return what can be filled in, if a person could not know."""
        return self.conversation.render(
            "forms/hint",
            own=f"{self.command.plugin}/hint_{parameter.name}",
            name=parameter.name,
            wanted=parameter.kind.value,
            is_exact=parameter.is_exact,
            bounds=None if parameter.bounds is None else astuple(parameter.bounds),
        )

    def _instructions(self) -> str:
        """Return the help, which calls the values as they are typed, with the labels in place of that."""
        text = self.conversation.render("forms/instructions", help=self.command.help)
        for parameter in sorted(self.command.parameters, key=lambda each: -len(each.name)):
            text = _renamed(text, parameter.word, self.label(parameter.name))
        return text


def _renamed(text: str, word: str, label: str) -> str:
    """Return a text with a label in place of each word in capitals that is the whole ``word``."""
    return re.sub(rf"(?<![A-Za-z_]){word}(?![A-Za-z_])", lambda _: f"“{label}”", text)


def _bounded(options: Sequence[FormOption]) -> Sequence[FormOption]:
    """Return the first options that fit into their bytes."""
    left = MOST_OPTION_BYTES
    for number, each in enumerate(options):
        left -= len(each.value.encode()) + len(each.label.encode())
        if left < 0:
            return options[:number]
    return options
