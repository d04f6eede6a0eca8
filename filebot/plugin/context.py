"""Context that functions of plugins are given: the conversation, and what they may use."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Generic, ParamSpec, TypeVar, TypeVarTuple, cast

from filebot.concurrency.isolated import Limits
from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Address, BareJid, Entry, Offer, Sender
from filebot.plugin.commands import CommandList
from filebot.plugin.confirmation import Asked, Confirmations
from filebot.plugin.conversation import Channel, Conversation
from filebot.plugin.database import PluginDatabase
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.files import Files
from filebot.plugin.http import Http
from filebot.plugin.isolated import run_isolated
from filebot.plugin.jobs import Jobs
from filebot.plugin.lifespan import Lifespan, Lifespans
from filebot.plugin.needs import Grants
from filebot.plugin.own_data import OwnData
from filebot.plugin.reload import Reload, Reloaded
from filebot.plugin.room_files import FilesOfRoom
from filebot.plugin.rooms import RoomAccess
from filebot.plugin.store import PluginStore

log = logging.getLogger(__name__)

S_co = TypeVar("S_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

USUAL_LIMITS: Final = Limits()


FilesOf = Callable[[Sender, str], Files]
"""Function that returns the files as a sender sees them, given the language of the replies."""
FilesOfPlugin = Callable[[Sender, str, str], Files]
"""Function that returns the same for a plugin, given its name as well."""
RoomsOf = Callable[[Sender], RoomAccess]
JobsOf = Callable[[str, OnBehalfOf | None], Jobs]


@dataclass(frozen=True, slots=True)
class Factories:
    """Makers of the objects that a context gives."""

    files: FilesOfPlugin
    rooms: RoomsOf
    jobs: JobsOf
    own_data: Callable[[str], OwnData]
    delivery: Callable[[Sender], DeliveryAccess]
    clock: Callable[[], datetime]
    """Gives the present in UTC."""
    room_files: Callable[[BareJid], FilesOfRoom]
    lifespans: Lifespans
    http: Callable[[str], Http]
    trusted_now: Callable[[], Awaitable[datetime | None]]
    """Gives the time by which something may be removed for its age; None while none is certain."""
    own_address: BareJid
    """The bot's."""
    reload: Reload


class Context(Conversation, Generic[S_co]):
    """Conversation for a plugin's handler, with the files and rooms that the sender may see."""

    def __init__(
        self,
        channel: Channel,
        conversation: Conversation,
        *,
        usage: str = "",
        settings: S_co,
        commands: Callable[[Sender], CommandList],
        lines_about: Callable[[Entry], Awaitable[list[str]]],
        factories: Factories,
        by: OnBehalfOf | None,
        grants: Grants,
        confirmations: Confirmations | None = None,
    ) -> None:
        """``confirmations`` are those of a command; others have nobody to ask."""
        super().__init__(
            channel,
            conversation.sender,
            conversation.language,
            replies_to=conversation.replies_to,
            action=conversation.action,
        )
        self.settings = settings
        """The plugin's own settings."""
        self.usage = usage
        """Usage line of the command that was typed; empty for listeners."""
        self._commands = commands
        self._lines_about = lines_about
        self._plugin = grants.plugin
        self._factories = factories
        self._by = by
        self._grants = grants
        self._confirmations = confirmations

    async def confirm(self, template: str, /, **values: object) -> None:
        """Return when the person has said yes to a question; until then nothing goes on behind this.

        The question is a template filled with values; how to answer it is added. The first call ends the
        function. If the person says yes within two minutes, the command runs again with the same
        arguments, and then the call returns; files that are gone by then, or not for them any more, are
        refused or ``missing``. So ask before anything is changed, and do not catch ``Exception`` around it.

        A yes is to the words that were read: a question that reads otherwise by then is asked again. Only
        where files of the command are gone or renamed it may, and then without files among its values
        that the person was not asked about.

        A function can ask several questions; they are asked one after the other. Raises NotAllowed for a
        person of whom only a nick is known.
        """
        if self._confirmations is None:
            raise PluginError(f"only a command can ask {template!r}: ctx.confirm has nobody to ask here")
        question = Asked.about(template, self.render(template, **values), values)
        self._confirmations.require(self.sender, question)

    @property
    def own_address(self) -> BareJid:
        """The bot's address, where people write to it in a private chat."""
        return self._factories.own_address

    @property
    def now(self) -> datetime:
        """The present in UTC, by the server's clock."""
        return self._factories.clock()

    def is_first_today(self, reason: str) -> bool:
        """Tell whether this was not asked for the sender within the last 24 hours, for what is better said
        seldom: nothing that they asked for. It is forgotten when the bot is restarted.
        """
        return self._channel.chat_state.once_a_day.passes(self._plugin, self.sender.rate_key, reason)

    async def trusted_now(self) -> datetime | None:
        """Return the time by which something may be removed for its age, in UTC.

        It is None until the bot's server has told its time and the machine's clock agrees with it: a clock
        that is wrong would find everything too old at once. Each call asks the server.
        """
        return await self._factories.trusted_now()

    async def entry_lines(self, entry: Entry) -> list[str]:
        """Return what the plugins have to say about a file to the sender."""
        return await self._lines_about(entry)

    @cached_property
    def commands(self) -> CommandList:
        """Commands that the sender may use here, for the help."""
        return self._commands(self.sender)

    @cached_property
    def files(self) -> Files:
        """The files as the sender sees them; raises UserError for what the sender may not do."""
        return self._guarded("files", self._factories.files(self.sender, self.language, self._plugin))

    def room_files(self, room: BareJid) -> FilesOfRoom:
        """Return the files of a room as the room itself has them, whoever the sender is."""
        return self._guarded("room_files", self._factories.room_files(room))

    @cached_property
    def rooms(self) -> RoomAccess:
        """The bot's rooms, as far as the sender may change them."""
        return self._guarded("rooms", self._factories.rooms(self.sender))

    @cached_property
    def jobs(self) -> Jobs:
        """The plugin's own jobs; those that are added are done on behalf of the sender."""
        return self._guarded("jobs", self._factories.jobs(self._plugin, self._by))

    @cached_property
    def store(self) -> PluginStore:
        """Values that the plugin keeps by key."""
        return self._guarded("store", self._factories.own_data(self._plugin).store)

    @cached_property
    def db(self) -> PluginDatabase:
        """The plugin's own tables, which its migrations made."""
        return self._guarded("db", self._factories.own_data(self._plugin).db)

    @cached_property
    def delivery(self) -> DeliveryAccess:
        """Routes of files to the sender, and probes of them."""
        return self._guarded("delivery", self._factories.delivery(self.sender))

    @cached_property
    def http(self) -> Http:
        """HTTP to servers elsewhere."""
        return self._guarded("http", self._factories.http(self._plugin))

    def _guarded(self, path: str, part: T) -> T:
        """Return a part with those attributes alone that the plugin declared its need of."""
        return cast("T", self._grants.views[path](part, self._grants))

    def state(self, lifespan: Lifespan[T]) -> T:
        """Return what the plugin's lifespan yielded, given what ``@plugin.lifespan`` returned."""
        return self._factories.lifespans.state(self._plugin, lifespan)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        self._grants.require("tell")
        if not isinstance(to, Address):
            raise PluginError(f"ctx.tell speaks to an Address; write Address({to!r})")
        await super().tell(to, template, **values)

    async def choose_language(self, wanted: str | None) -> str | None:
        self._grants.require("choose_language")
        return await super().choose_language(wanted)

    async def emit(self, event: Event) -> None:
        self._grants.require("emit")
        await super().emit(event)

    async def reload(self) -> Reloaded:
        """Read the config and the plugins that are one file anew, in one step or not at all.

        The running function goes on with the plugin that it is of. Raises ReloadRefused.
        """
        self._grants.require("reload")
        return await self._factories.reload()

    def files_posted_here(self) -> tuple[Offer, ...]:
        self._grants.require("files_posted_here")
        return super().files_posted_here()

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking function in one of the threads that all plugins share; four are of this one."""
        return await self._factories.lifespans.blocking.run(self._plugin, function, *args, **kwargs)

    async def run_isolated(
        self, function: Callable[[*Ts], R], *args: *Ts, limits: Limits = USUAL_LIMITS
    ) -> R:
        """Run a function in a process of its own, with limits on time, memory and output.

        It is a function of the top of a module. Its arguments can be pickled; it returns None, numbers,
        texts, bytes, and lists, tuples and dictionaries of these. Raises IsolatedError if it raises, takes
        too much, or its process dies. A plugin has two such processes at once.
        """
        return await run_isolated(self._plugin, function, args, limits)


class BackgroundContext(Context[S_co]):
    """Context of what nobody asked for: it sees nobody's files, and there is nobody to reply to."""

    async def reply(self, template: str, /, **values: object) -> None:
        raise PluginError(f"nobody waits for the reply {template!r}; speak to somebody with ctx.tell")

    async def reply_aside(self, template: str, /, **values: object) -> None:
        await self.reply(template, **values)

    @cached_property
    def files(self) -> Files:
        return cast("Files", _NobodysFiles(super().files))


@dataclass(frozen=True, slots=True)
class _NobodysFiles:
    """Files of nobody: what was posted in a room is kept as its poster's, and nothing else is there."""

    _files: Files

    def __getattr__(self, name: str) -> object:
        if name == "keep_unasked":
            return self._files.keep_unasked
        raise PluginError(
            "nobody asked for this, so ctx.files has nobody's files; let a job that somebody's command or "
            "event added look at theirs, or take a room's with ctx.room_files"
        )
