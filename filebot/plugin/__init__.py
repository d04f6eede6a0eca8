"""The whole plugin API: what a plugin declares, and what its handlers are given.

A plugin is one module with a variable ``plugin``. Its docstring is its manual, a command's docstring its
help line, ``settings`` a dataclass that becomes its table in the config, checked at start::

    plugin = Plugin("echo", templates={"said": "You said {{ words }}."})

    @plugin.command("echo", usage="echo WORDS")
    async def echo(ctx: Context[None], words: str) -> None:
        '''Say it again.'''
        await ctx.reply("echo/said", words=words)

Handlers are coroutines. They do no I/O of their own; blocking work goes through
:meth:`Context.run_blocking`. Whatever of :mod:`filebot.errors` they raise becomes a reply.
"""

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar

from filebot.concurrency.threads import Threads
from filebot.errors import (
    BadCommand,
    FilebotError,
    NoSuchEntry,
    NotAllowed,
    PluginError,
    StorageError,
    TransferError,
    UnknownCommand,
    UserError,
)
from filebot.events.facts import (
    DeliveryAbandoned,
    DeliveryQueued,
    DeliveryStarted,
    Event,
    FileAutoArchived,
    FileDelivered,
    FileQueued,
    FileRefused,
    FileRemoved,
    FileRenamed,
    FileShared,
    FileStored,
    HistoryImportFinished,
    HistoryImportProgressed,
    InvitationAccepted,
    LinkReceived,
    OwnerChanged,
    RemovalReason,
    RoomFilesAdded,
)
from filebot.model import Address, AddressKind, Entry, IncomingMessage, Method, Offer, Sender, StorageUsage
from filebot.plugin.command_syntax import CommandUsage
from filebot.plugin.files import Files
from filebot.plugin.rooms import RoomAccess

__all__ = [
    "Address",
    "AddressKind",
    "BadCommand",
    "Command",
    "CommandList",
    "Context",
    "DeliveryAbandoned",
    "DeliveryQueued",
    "DeliveryStarted",
    "Entry",
    "Event",
    "FileAutoArchived",
    "FileDelivered",
    "FileQueued",
    "FileRefused",
    "FileRemoved",
    "FileRenamed",
    "FileShared",
    "FileStored",
    "FilebotError",
    "Files",
    "HistoryImportFinished",
    "HistoryImportProgressed",
    "IncomingMessage",
    "InvitationAccepted",
    "LinkReceived",
    "Method",
    "NoSuchEntry",
    "NotAllowed",
    "Offer",
    "OwnerChanged",
    "Page",
    "Plugin",
    "PluginError",
    "RemovalReason",
    "RoomAccess",
    "RoomFilesAdded",
    "Sender",
    "StorageError",
    "StorageUsage",
    "TransferError",
    "UnknownCommand",
    "UserError",
]

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
E = TypeVar("E", bound=Event)
P = ParamSpec("P")
R = TypeVar("R")

_BLOCKING: Final = Threads("plugin", 8)

Page = Callable[[int, int | None], Awaitable[list[Entry]]]
"""Given how many entries at most, and the id below which to go on (None: the newest), the next ones."""


class Command(Protocol):
    """A command as the help shows it."""

    @property
    def name(self) -> str: ...

    @property
    def usage(self) -> tuple[str, ...]:
        """Each way to write it, the everyday one first."""

    @property
    def aliases(self) -> tuple[str, ...]: ...

    @property
    def summary(self) -> str:
        """The first line of the docstring."""

    @property
    def help(self) -> str:
        """The whole docstring."""


class CommandList(Protocol):
    """The commands that the sender can use here."""

    def all(self) -> Sequence[Command]: ...

    def named(self, name: str) -> Command | None:
        """The command of this name or alias."""

    def nearest(self, word: str) -> tuple[str, ...]:
        """Names that somebody who typed ``word`` may have meant."""


class Conversation(Protocol):
    """The bot's side of one exchange; a context's way out."""

    async def reply(self, template: str, /, **values: object) -> None: ...

    async def reply_aside(self, template: str, /, **values: object) -> None: ...

    async def reply_error(self, error: FilebotError, name: str = "", *, action: str = "") -> None: ...

    async def tell(self, to: Address, template: str, /, **values: object) -> None: ...

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool: ...

    async def reply_more(self) -> bool: ...

    async def emit(self, event: Event) -> None: ...

    async def choose_language(self, wanted: str | None) -> str | None: ...

    def languages(self) -> tuple[str, ...]: ...

    def files_posted_here(self) -> tuple[Offer, ...]: ...

    @property
    def is_reply(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Context(Generic[S_co]):
    """What a handler is given: who asks, what they may see and do, and how to answer."""

    sender: Sender
    """Who asks. Rights come from ``sender.identity`` alone; most plugins need not look: ``files`` does."""
    settings: S_co
    """The plugin's own settings."""
    files: Files
    """The files as the sender sees them; raises UserError where something is not theirs to do."""
    rooms: RoomAccess
    """The bot's rooms, as far as the sender may change them."""
    commands: CommandList
    language: str
    """The language of the replies, as in ``Accept-Language``."""
    usage: str
    """The usage line that fitted what was typed; empty for listeners."""
    conversation: Conversation = field(repr=False)

    async def reply(self, template: str, /, **values: object) -> None:
        """Answer with a template (``plugin/name``) filled with values.

        Values are data: nothing in them is ever run as a template.
        """
        await self.conversation.reply(template, **values)

    async def reply_aside(self, template: str, /, **values: object) -> None:
        """The same, but where nobody else reads it: in private, if the sender spoke to a whole room."""
        await self.conversation.reply_aside(template, **values)

    async def reply_error(self, error: FilebotError, name: str = "", *, action: str = "") -> None:
        """Answer with the words for an error about the file ``name``, as raising it does.

        ``action`` is the name of the command whose work failed, if that is not the one at work.
        """
        await self.conversation.reply_error(error, name, action=action)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        """Say something to somebody else, in that person's language."""
        await self.conversation.tell(to, template, **values)

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool:
        """Answer with the first ``size`` entries of a list; ``more`` brings the next ones.

        The template is given ``entries`` and ``more`` (whether there is another page). Returns False, and
        says nothing, if the list is empty.
        """
        return await self.conversation.reply_pages(template, page, size=size, **values)

    async def reply_more(self) -> bool:
        """Answer with the next page of the list shown last; False if there is none."""
        return await self.conversation.reply_more()

    async def emit(self, event: Event) -> None:
        """Tell all plugins that something happened."""
        await self.conversation.emit(event)

    async def choose_language(self, wanted: str | None) -> str | None:
        """Remember the sender's language, as they write it (``None``: go by their client again).

        Returns the language's code, or None if the bot does not speak it.
        """
        return await self.conversation.choose_language(wanted)

    def languages(self) -> tuple[str, ...]:
        """The languages that the bot speaks."""
        return self.conversation.languages()

    def files_posted_here(self) -> tuple[Offer, ...]:
        """The sender's own files in the message of this room that they reply to; if this is no reply, those
        of their last message with files here. Empty elsewhere, and if they are not remembered.

        Raises PostTooLarge if there was too much to be remembered.
        """
        return self.conversation.files_posted_here()

    @property
    def is_reply(self) -> bool:
        """Whether the sender replies to a certain message (XEP-0461)."""
        return self.conversation.is_reply

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run something that would block, in one of the threads that all plugins share."""
        return await _BLOCKING.run(function, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as its plugin declared it."""

    plugin: str
    name: str
    usages: tuple[CommandUsage, ...]
    """In the order in which they are tried."""
    aliases: tuple[str, ...]
    help: str
    handler: Callable[..., Awaitable[None]]

    @property
    def usage(self) -> tuple[str, ...]:
        """Each way to write it, the everyday one first."""
        return tuple(usage.line for usage in reversed(self.usages))

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return self.help.splitlines()[0]


def paragraphs(docstring: str) -> str:
    """A docstring as a reply shows it: a line for each paragraph, whatever the width of the source."""
    text = inspect.cleandoc(docstring)
    return "\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def _examine_settings(plugin: str, settings: type) -> None:
    if not dataclasses.is_dataclass(settings):
        raise PluginError(f"the settings of plugin {plugin!r} are no dataclass")
    for each in dataclasses.fields(settings):
        if each.init and each.default is each.default_factory is dataclasses.MISSING:
            raise PluginError(f"setting {each.name!r} of plugin {plugin!r} has no default; give it one")


def _parsed(place: str, name: str, lines: Sequence[str]) -> tuple[CommandUsage, ...]:
    if any(line.split()[:1] != [name] for line in lines) or not lines:
        raise PluginError(f"{place}: its usage must begin with {name}")
    try:
        return tuple(CommandUsage.parse(line) for line in lines)
    except ValueError as error:
        raise PluginError(f"{place}: {error}") from error


def _examine_words(place: str, name: str, aliases: Sequence[str]) -> None:
    if isinstance(aliases, str):
        raise PluginError(f"{place}: aliases are a tuple, not one text; write ({aliases!r},)")
    for word in (name, *aliases):
        # As they are looked up: what somebody types is folded, and loses a prefix.
        if word.casefold().split() != [word] or word.startswith("!"):
            raise PluginError(
                f"{place}: nobody could type {word!r}; a name or alias is one word without capitals "
                "that does not begin with !"
            )


def _examine_handler(place: str, handler: Callable[..., object], parameters: Collection[str]) -> None:
    _examine_coroutine(place, handler)
    given = ", ".join(["a context", *sorted(parameters)])
    _examine_arguments(place, handler, given, object(), **dict.fromkeys(parameters, ""))


def _examine_coroutine(place: str, function: Callable[..., object]) -> None:
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        raise PluginError(f"{place}: {_name_of(function)} is no coroutine; write async def")


def _examine_arguments(
    place: str, function: Callable[..., object], given: str, /, *values: object, **named: object
) -> None:
    try:
        inspect.signature(function).bind(*values, **named)
    except TypeError as error:
        raise PluginError(f"{place}: {_name_of(function)} is given {given}, but: {error}") from error


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", repr(function))


Handler = Callable[Concatenate[Context[S], P], Awaitable[None]]
Listener = Callable[[Context[S], E], Awaitable[None]]


class Plugin(Generic[S]):
    """Declares a plugin: its name, settings, words, commands and listeners.

    ``settings`` is a dataclass whose fields all have defaults; ``templates`` maps names to Jinja texts,
    used as ``<plugin name>/<template name>``. Mistakes raise PluginError when the module is loaded.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: type[S] | None = None,
        templates: Mapping[str, str] | None = None,
    ) -> None:
        if not name.isidentifier() or name != name.lower():
            raise PluginError(f"{name!r} is no plugin name: lower-case letters, digits and _ only")
        if settings is not None:
            _examine_settings(name, settings)
        self.name = name
        self.settings = settings
        self.templates = dict(templates or {})
        self.commands: list[CommandSpec] = []
        self.listeners: list[tuple[type[Event], Callable[[Context[S], Any], Awaitable[None]]]] = []

    def command(
        self, name: str, *, usage: str | Sequence[str], aliases: Sequence[str] = ()
    ) -> Callable[[Handler[S, P]], Handler[S, P]]:
        """Declare a command; ``usage`` shows each way to write it (``send NAME to TARGET``).

        The first that fits counts, so the everyday way, which fits nearly everything, stands last; the help
        shows it first.

        Upper-case words are handed to the handler as keyword arguments in lower case, all ``str``; those
        that are not in the way that was used are empty.
        """
        lines = (usage,) if isinstance(usage, str) else tuple(usage)
        place = f"command {name!r} of plugin {self.name!r}"

        def declare(handler: Handler[S, P]) -> Handler[S, P]:
            usages = _parsed(place, name, lines)
            _examine_words(place, name, aliases)
            _examine_handler(
                place, handler, {parameter for each in usages for parameter in each.parameters}
            )
            help_text = paragraphs(handler.__doc__ or "")
            if not help_text:
                raise PluginError(f"{place} needs a docstring: its help")
            self.commands.append(CommandSpec(self.name, name, usages, tuple(aliases), help_text, handler))
            return handler

        return declare

    def on(self, event: type[E]) -> Callable[[Listener[S, E]], Listener[S, E]]:
        """Declare a listener: called after each event of this class, with a context for its sender."""

        def declare(listener: Listener[S, E]) -> Listener[S, E]:
            place = f"listener {_name_of(listener)!r} of plugin {self.name!r}"
            named: object = event
            if not (isinstance(named, type) and issubclass(named, Event)):
                raise PluginError(f"{place} is for {named!r}, which is no class of events")
            _examine_coroutine(place, listener)
            _examine_arguments(place, listener, "a context and an event", object(), object())
            self.listeners.append((event, listener))
            return listener

        return declare
