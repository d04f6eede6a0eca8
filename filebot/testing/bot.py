"""A whole bot without a server: the real dispatcher, commands and services over the fakes."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from filebot.backends.bounded import ScannerCheck
from filebot.chat.assembly import Chat, build_lifespans, http_factory
from filebot.chat.dispatcher import MessageDispatcher
from filebot.chat.rate_limits import RateLimits
from filebot.chat.reloader import Reloader
from filebot.errors import ReloadRefused
from filebot.failures import Failure
from filebot.files.access import Access, AccessRules
from filebot.files.quota import StorageLimits
from filebot.model import (
    BareJid,
    Bounce,
    Client,
    CommandItem,
    IncomingMessage,
    Invitation,
    Sender,
)
from filebot.plugin import Plugin
from filebot.plugin.declare import lives_of
from filebot.plugin.deprecated import alias
from filebot.plugin.gathered_replies import AT_ONCE, BurstTimes
from filebot.plugin.people import PersonExport
from filebot.plugin.reload import Reloaded
from filebot.plugin_loader import migrations_of
from filebot.ports import Catalog, CommandForms, Inspector, Scanner, StreamOffer, UrlSource
from filebot.services import Ports, build_services
from filebot.system.descriptors import MOST_SLOTS
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.declared import DeclaredSource
from filebot.testing.failures import Failures
from filebot.testing.faults import Faults
from filebot.testing.forms import Filling
from filebot.testing.http import MemoryWeb
from filebot.testing.inspector import usual_inspector
from filebot.testing.messenger import FileShown, RecordingMessenger, Said
from filebot.testing.queue import QueueOfBot
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, sender_of
from filebot.testing.talk import TalkedTo
from filebot.testing.xmpp import FakeHistories, FakeStreams, FakeUploadService, FixedRooms
from filebot.transfer.sources import SourcesByScheme

T = TypeVar("T")

BOT: Final = "filebot@example.org"

BotWith = Callable[..., Awaitable["FakeBot"]]
"""Type of the fixture ``bot_with``: it takes what FakeBot takes."""


IDLE_S: Final = 5.0
"""Limit of each step of a source."""

LIMITS: Final = StorageLimits(
    max_file_bytes=1_000_000,
    quota_per_user_bytes=5_000_000,
    total_bytes=50_000_000,
    quota_per_room_bytes=20_000_000,
)


class FakeBot(TalkedTo):
    """Bot that serves ``*@example.org`` and the room ``ROOM``, in which ``ALICE`` and ``BOB`` are.

    Use it as an async context. The bundled plugins are there, and those given. Its clock, ``now``, stands
    until a test moves it. What a real bot would log as a failure of a plugin, or of its own, is raised by
    the call that led to it, unless it ``may_fail``.
    """

    def __init__(
        self,
        *plugins: Plugin[Any],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        limits: StorageLimits = LIMITS,
        rate_limits: RateLimits | None = None,
        invitations: bool = True,
        slots: int = MOST_SLOTS,
        web: MemoryWeb | None = None,
        disabled: Collection[str] = (),
        catalog: Catalog | None = None,
        inspector: Inspector | None = None,
        sources: Mapping[str, UrlSource] | None = None,
        scanners: Mapping[str, Scanner] | None = None,
        may_fail: bool = False,
        burst_times: BurstTimes = AT_ONCE,
    ) -> None:
        """``inspector`` finds the types of files; without one it is the real one. ``sources`` are sources
        of bytes, and ``scanners`` scanners of received files, by the scheme of their URLs. ``may_fail`` is
        for tests of failures: see ``failures``. ``burst_times`` tell when answers to many files are said as
        one; by default only those to files of one message, or that are handled at once.

        ``disabled`` has names of bundled plugins; with the ``catalog`` of another one it is that bot,
        started again.
        """
        self.web = web or MemoryWeb()
        self.store = MemoryBlobs()
        self.catalog: Catalog = catalog or MemoryCatalog()
        self.messenger = RecordingMessenger()
        self.uploads = FakeUploadService()
        self.streams = FakeStreams()
        self.histories = FakeHistories()
        self.rooms = FixedRooms({ROOM: frozenset({ALICE, BOB})})
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.faults = Faults(self.store, self.catalog, self.web, self.uploads, self.streams)
        """Faults that a test lets it have."""
        self._failures = Failures(may_fail=may_fail)
        self.clock_is_trusted = True
        """False: nothing is removed for its age."""
        ports = Ports(
            store=self.store,
            catalog=self.catalog,
            http=self.web,
            inspector=inspector or usual_inspector(),
            sources=SourcesByScheme(self.web, sources or {}, IDLE_S),
            uploads=self.uploads,
            messenger=self.messenger,
            rooms=self.rooms,
            histories=self.histories,
            streams=self.streams,
            clock=lambda: self.now,
            trusted_now=self._trusted_now,
            jid=BOT,
            server="example.org",
        )
        self._source = DeclaredSource(
            plugins,
            settings or {},
            disabled,
            AccessRules((ADMIN,), ("*@example.org",), ("mallory@example.org",), invitations),
            limits,
            rate_limits or RateLimits(),
            self.catalog.plugin_tables,
            lambda: self.now,
        )
        self._first = first = self._source.wanted()
        access = Access()
        access.use(first.access)
        self._services = build_services(
            ports,
            access,
            limits,
            first.room_settings,
            first.presence,
            settle_s=0.0,
            bounce_s=0.0,
            slots=slots,
            burst_times=burst_times,
            scanners=[ScannerCheck(scheme, each) for scheme, each in (scanners or {}).items()],
        )
        shown_files = self._services.shown_files
        self.messenger.posted = lambda room, said: shown_files.posted(room, said, said)
        self.jobs = QueueOfBot(lambda: self._services.jobs, self.catalog.jobs, self._answers)
        """Jobs are done only when a test runs them, or lets time pass."""
        self._http_of = http_factory(self.web)
        self._lifespans = build_lifespans(first.plugins, self.catalog, lambda: self.now, self._http_of)
        self._reloader: Reloader | None = None

    async def __aenter__(self) -> Self:
        with self._failures.observing():
            await self._open()
        return self

    async def _open(self) -> None:
        first = self._first
        for each in first.plugins:
            if each.plugin.migrations is not None:
                await self.catalog.plugin_tables.prepare(each.plugin.name, migrations_of(each.plugin))
        for error in (await self._lifespans.open(lives_of(first.plugins))).values():
            await self._lifespans.close()
            raise error
        await self._services.shown_files.open()
        await self._services.room_settings.open()
        await self._services.proven_occupants.open()
        await self._services.worker.open()
        self._reloader = Reloader(self._source, self._services, self._http_of)
        self._reloader.begin(first.plugins, first.replies, first.limits, self._lifespans)
        await self._services.jobs.prepare()
        await self._services.membership.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:  # it comes before what fails while the bot is closed
            self._failures.may_fail = True
        with self._failures.raised():
            await self._close()

    async def _close(self) -> None:
        await self.dispatcher.close(timeout_s=5)
        await self._running.at_once.close(timeout_s=5)
        await self._services.jobs.close(timeout_s=0)
        await self._services.worker.close()
        await self._services.membership.close()
        await self._services.people_online.close()
        await self._entered.close()
        await self._lifespans.close()

    @property
    def dispatcher(self) -> MessageDispatcher:
        """The receiver of messages; only inside of the context."""
        return self._running.dispatcher

    @property
    def forms(self) -> CommandForms:
        """The commands as forms; only inside of the context."""
        return self._running.command_forms

    reception = alias("FakeBot", "reception", "dispatcher")

    @property
    def sent(self) -> list[FileShown]:
        """The files that were delivered, in order."""
        return [each for each in self.messenger.sent if isinstance(each, FileShown)]

    @property
    def failures(self) -> list[Failure]:
        """Failures so far, in order, each with the first ``line`` that the log has of it."""
        return self._failures.noted

    @property
    def may_fail(self) -> bool:
        """Whether failures are noted alone, and not raised."""
        return self._failures.may_fail

    @may_fail.setter
    def may_fail(self, value: bool) -> None:
        self._failures.may_fail = value

    async def fill_in(
        self, command: str, sender: Sender | str = ALICE, /, **values: str | Sequence[str]
    ) -> Filling:
        """Begin a command as a client with forms does, and fill its form in if there are ``values``.

        Raises UnknownCommand, NotAllowed or WrongPlace as the bot does, and ValueError for a value that the
        form does not take.
        """
        begun, said = await self._watched(self.forms.begin(sender_of(sender, None), None, command))
        filling = Filling(*begun, self._watched, said)
        if values:
            await filling.answer(**values)
        return filling

    async def commands(self, sender: Sender | str = ALICE) -> Sequence[CommandItem]:
        """Return the commands that clients with forms show somebody."""
        return await self.forms.items(sender_of(sender, None), None)

    async def receive(self, message: IncomingMessage) -> list[str]:
        """Hand a message to the bot, wait until it is dealt with, and return what was said."""
        return await self._answers(self.dispatcher.receive(message))

    async def subscribe(self, person: BareJid, language: str | None = None) -> list[str]:
        """Add the bot to somebody's contacts, wait until that is dealt with, and return what was said."""
        return await self._answers(self.dispatcher.receive_subscription(person, "", language))

    async def invite(self, invitation: Invitation) -> list[str]:
        """Invite the bot into a room, wait until that is dealt with, and return what was said."""
        return await self._answers(self.dispatcher.receive_invitation(invitation))

    async def bounce(self, message_id: str, by: BareJid, condition: str) -> list[str]:
        """Let a message to somebody come back, and return what was said."""
        bounce = Bounce(by, (message_id,), may_be_any=not message_id.isdecimal(), condition=condition)
        return await self._answers(self._services.delivery.bounces.bounced(bounce))

    async def listeners_done(self) -> list[str]:
        """Wait until all listeners that were called at once are done, and return what was said.

        Nothing else waits for them.
        """
        return await self._answers(self._running.at_once.idle())

    async def export_person(self, person: str) -> PersonExport:
        """Return what plugins keep of somebody."""
        with self._failures.raised():
            return await self._running.people.export_person(person)

    async def forget_person(self, person: str) -> Sequence[str]:
        """Have all plugins forget somebody, and return the names of those that failed."""
        with self._failures.raised():
            return await self._running.people.forget_person(person)

    async def reload(
        self,
        *plugins: Plugin[Any],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        disabled: Collection[str] = (),
    ) -> Reloaded:
        """Put other plugins and settings in the place of those there are, as a reload of the bot does.

        Return when the lifespans of those that went are closed. Raises ReloadRefused. The command
        ``reload`` reads the same once more.
        """
        before = self._source.declare(plugins, settings or {}, disabled)
        with self._failures.raised():
            try:
                done = await self._entered.reload()
            except ReloadRefused:
                self._source.declare(*before)
                raise
            await self._entered.idle()
        return done

    async def pass_time(self, by: timedelta) -> list[str]:
        """Let time pass, and return what was said meanwhile.

        Jobs, schedules and durable listeners are done when they are due, each at its time, and deliveries
        that wait for too long are given up. To move the clock alone, change ``now``.
        """
        return await self._answers(self._live_until(self.now + by))

    async def destroy(self, room: str) -> None:
        """Let a room be destroyed by its owner."""
        self.rooms.occupants.pop(room, None)
        await self._services.membership.forget(room, destroyed=True)

    async def offer(self, stream: StreamOffer) -> list[str]:
        """Offer a file by a stream, wait until it is dealt with, and return what was said."""
        return await self._answers(self._running.stream_offers.receive(stream))

    async def come_online(self, *clients: Client) -> list[str]:
        """Let clients of one person come online, and return the answers.

        It waits until the deliveries queued for the person are dealt with.
        """
        person = clients[0].jid.partition("/")[0]
        self.streams.online[person] = clients
        return await self._answers(self._came_online(person))

    @property
    def _running(self) -> Chat:
        return self._entered.chat

    @property
    def _entered(self) -> Reloader:
        assert self._reloader is not None, "use it as a context"  # noqa: S101 - for authors of tests
        return self._reloader

    async def _live_until(self, end: datetime) -> None:
        await self.jobs.run_until(end, self._set_clock)
        await self._services.worker.expire()

    def _set_clock(self, now: datetime) -> None:
        self.now = now

    async def _came_online(self, person: BareJid) -> None:
        self._services.worker.came_online(person)
        self._services.people_online.came_online(person)
        await self._services.people_online.idle()
        await self._services.worker.idle()

    async def _trusted_now(self) -> datetime | None:
        return self.now if self.clock_is_trusted else None

    async def _answers(self, handed: Awaitable[None]) -> list[str]:
        return (await self._watched(handed))[1]

    async def _watched(self, handed: Awaitable[T]) -> tuple[T, list[str]]:
        """Return what is awaited, and the texts that are said until all is dealt with."""
        before = len(self.messenger.sent)
        with self._failures.raised():
            result = await handed
            await self.dispatcher.idle()
        return result, [each.text for each in self.messenger.sent[before:] if isinstance(each, Said)]
