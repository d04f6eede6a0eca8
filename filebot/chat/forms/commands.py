"""Commands of plugins as forms: those that somebody may use, and their beginning."""

from collections.abc import Sequence

from filebot.chat.forms.fill import Fill
from filebot.chat.forms.steps import Person, StepServices
from filebot.errors import FilebotError
from filebot.model import CommandItem, FormStep, Sender
from filebot.plugin.commands import Command
from filebot.ports import CommandFill


class PluginForms:
    """Commands of the plugins, for people who fill them in (port ``CommandForms``)."""

    def __init__(self, services: StepServices) -> None:
        self.successor: PluginForms | None = None
        """The one that has taken its place; commands that are being filled in go on with its plugins."""
        self._services = services

    async def items(self, sender: Sender, language: str | None) -> Sequence[CommandItem]:
        """Return the commands that somebody may use where they are, by name."""
        services, person = self._in_force, Person(sender.privately, language)
        if not services.access.may_speak(person.sender):
            return []
        return await self._items(person, services.calls.usable(person.sender).all())

    async def item(self, sender: Sender, language: str | None, node: str) -> CommandItem | None:
        """Return one of :meth:`items`, or None."""
        person = Person(sender.privately, language)
        try:
            command = self._in_force.command_for(person, node)
        except FilebotError:
            return None
        return (await self._items(person, [command]))[0]

    async def begin(self, sender: Sender, language: str | None, node: str) -> tuple[CommandFill, FormStep]:
        """Begin a command; return it and its first step."""
        fill = Fill(lambda: self._in_force, Person(sender.privately, language), node)
        return fill, await fill.begin()

    async def _items(self, person: Person, commands: Sequence[Command]) -> list[CommandItem]:
        conversation = await self._in_force.channel.conversation(person.sender, person.language)
        return [
            CommandItem(each.name, conversation.render("forms/summary", summary=each.summary))
            for each in commands
        ]

    @property
    def _in_force(self) -> StepServices:
        forms = self
        while forms.successor is not None:
            forms = forms.successor
        return forms._services  # noqa: SLF001 - of the same class
