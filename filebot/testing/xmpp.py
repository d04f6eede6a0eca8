"""Fakes of XMPP services, without a server: rooms, message archives, an upload service and streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filebot.errors import (
    CannotEnterRoom,
    FilebotError,
    NoHistory,
    NoUploadService,
    PeerGone,
    TooLargeForService,
    TransferError,
    TransferTimeout,
)
from filebot.model import (
    Address,
    BareJid,
    Client,
    Entry,
    HistoryPage,
    Identity,
    IncomingMessage,
    Invitation,
    Method,
    Offer,
    ProxyState,
    RememberedRoom,
    Retraction,
    RoomRole,
    Sender,
    Slot,
    StreamMethod,
    left_of,
)
from filebot.plugin.deprecated import alias


class FixedRooms:
    """Rooms with fixed occupants, given by their identities."""

    def __init__(self, occupants: Mapping[BareJid, frozenset[Identity]] | None = None) -> None:
        self.occupants = dict(occupants or {})
        self.managers: dict[BareJid, frozenset[Identity]] = {}
        """Owners and admins of each room, while they are in it; likewise the following."""
        self.members: dict[BareJid, frozenset[Identity]] = {}
        """Occupants with the affiliation of a member, without owners and admins."""
        self.visitors: dict[BareJid, frozenset[Identity]] = {}
        """Occupants who may not speak."""
        self.with_ids: set[BareJid] = set()
        """Rooms that give their occupants ids."""
        self.mute: set[BareJid] = set()
        """Rooms where the bot may not speak."""
        self.followed: dict[BareJid, str] = {}
        """Rooms whose posts the bot follows, each with what its presence says there."""
        self.config: frozenset[BareJid] = frozenset()
        """Rooms of the config."""
        self.prefix = "!"
        self.closed: dict[BareJid, str] = {}
        """Rooms that do not let the bot in, and why; see CannotEnterRoom."""
        self.passwords: dict[BareJid, str] = {}
        """Passwords with which rooms were entered."""
        self.inviters: dict[BareJid, BareJid | None] = {}
        """Inviters for whom rooms were entered."""
        self.declined: list[tuple[Invitation, str]] = []
        """Invitations, and the words that their rooms were given."""

    rolls = alias("FixedRooms", "rolls", "occupants")

    def nick_in(self, room: BareJid) -> str:
        return "filebot" if room in self.occupants else ""

    def joined(self) -> frozenset[BareJid]:
        return frozenset(self.occupants)

    def configured(self) -> frozenset[BareJid]:
        return self.config

    def address_in(self, target: str) -> BareJid | None:
        room = target.strip().removeprefix("xmpp:").partition("?")[0].partition("/")[0].lower()
        return room if "@" in room else None

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        if room in self.closed:
            raise CannotEnterRoom(room, reason=self.closed[room])
        if invited_by is not None:
            invited_by = self.inviters.get(room, invited_by)
        if room not in self.occupants or invited_by is None:
            self.passwords[room] = password or self.passwords.get(room, "")
        self.occupants.setdefault(room, frozenset())
        self.inviters[room] = invited_by
        return RememberedRoom(room, self.passwords[room], invited_by)

    async def leave(self, room: BareJid) -> None:
        self.occupants.pop(room, None)
        self.inviters.pop(room, None)
        self.passwords.pop(room, None)

    def decline(self, invitation: Invitation, words: str) -> None:
        self.declined.append((invitation, words))

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        if who not in self.occupants.get(room, frozenset()):
            return None
        manages = who in self.managers.get(room, frozenset())
        return RoomRole(
            is_member=manages or who in self.members.get(room, frozenset()),
            manages=manages,
            has_voice=who not in self.visitors.get(room, frozenset()),
        )

    def nick_of(self, room: BareJid, who: Identity) -> str:
        return who.partition("@")[0] if who in self.occupants.get(room, frozenset()) else ""

    async def follow(self, room: BareJid, note: str) -> None:
        self.followed.pop(room, None)
        if note:
            self.followed[room] = note

    def has_voice(self, room: BareJid) -> bool:
        return room not in self.mute

    def tells_apart(self, room: BareJid) -> bool:
        return room in self.with_ids

    async def joined_room(self, target: str) -> BareJid | None:
        room = self.address_in(target)
        return room if room in self.occupants else None


class FakeHistories:
    """Message archives of rooms, read page by page; the ids are the numbers of the messages."""

    def __init__(self) -> None:
        self.posts: dict[BareJid, list[IncomingMessage]] = {}
        """Messages of each room; other rooms have no history."""
        self.retractions: dict[BareJid, dict[int, Sequence[Retraction]]] = {}
        """Retractions in each room, by the number of the message after which they came."""
        self.page_size = 10
        self.failures: list[FilebotError] = []
        """Errors that the next requests for a page raise, in this order."""

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        if self.failures:
            raise self.failures.pop(0)
        if room not in self.posts:
            raise NoHistory(room, reason="closed")
        numbered = enumerate(self.posts[room], start=1)
        rest = [
            (number, post)
            for number, post in numbered
            if number > int(after or 0)
            and (since is None or post.delayed_since is None or post.delayed_since >= since)
        ]
        found = rest[: self.page_size]
        told = self.retractions.get(room, {})
        retractions = [each for number, _ in found for each in told.get(number, ())]
        return HistoryPage(
            left_of([post for _, post in found if not post.by_bot], retractions),
            len(found),
            str(found[-1][0]) if found else after,
            len(found) == len(rest),
            found[-1][1].delayed_since if found else None,
            tuple(retractions),
        )


class FakeUploadService:
    """Gives slots on one host until a test makes it unavailable."""

    def __init__(self, host: str = "upload.example.org", limit_bytes: int | None = None) -> None:
        self._host = host
        self.limit_bytes = limit_bytes
        self.away = False
        self.slots: list[Slot] = []
        """Slots that were given."""

    async def size_limit(self) -> int | None:
        self._must_be_there()
        return self.limit_bytes

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        self._must_be_there()
        if self.limit_bytes is not None and size > self.limit_bytes:
            raise TooLargeForService(size_bytes=size, limit_bytes=self.limit_bytes)
        url = f"https://{self._host}/{len(self.slots)}/{name}"
        slot = Slot(put_url=url, get_url=url, headers={"Authorization": "Bearer fake"})
        self.slots.append(slot)
        return slot

    def hosts(self) -> frozenset[str]:
        return frozenset({self._host} if self.slots else ())

    def _must_be_there(self) -> None:
        if self.away:
            raise NoUploadService("away")


class FakeStreams:
    """Clients that take whatever they are sent by the methods they have."""

    def __init__(self) -> None:
        self.online: dict[BareJid, tuple[Client, ...]] = {}
        self.received: list[tuple[str, StreamMethod, bytes]] = []
        """Full JID, method and content of each file that arrived."""
        self.failures: list[TransferError] = []
        """Errors that the next attempts raise, in this order; later ones succeed."""
        self.fault: TransferError | None = None
        """Error of all attempts, see ``bot.faults.failing_deliveries``."""
        self.attempts: list[tuple[str, StreamMethod]] = []
        """Full JID and method of each attempt, failed ones included."""
        self.hosts: tuple[str, ...] = ()
        """Addresses where the bot is reached directly."""
        self.let_in: dict[str, ProxyState] = {}
        """States of the proxies, by JID."""
        self.rates: dict[str, float] = {}
        """Bytes per second in-band, by full JID; other clients answer nothing."""

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        return [client for client in self.online.get(jid, ()) if client.methods]

    async def present(self, jid: BareJid) -> Sequence[Client]:
        return self.online.get(jid, ())

    def addresses(self) -> Sequence[str]:
        return self.hosts

    async def proxies(self) -> Mapping[str, ProxyState]:
        return self.let_in

    async def in_band_rate(self, to: str) -> float:
        if to not in self.rates:
            raise TransferTimeout(idle_s=10.0)
        return self.rates[to]

    async def send(
        self, to: str, file: Path, entry: Entry, way: StreamMethod, progress: Callable[[int], None]
    ) -> Method:
        self.attempts.append((to, way))
        if to not in {client.jid for clients in self.online.values() for client in clients}:
            raise PeerGone("offline")
        if self.fault is not None:
            raise self.fault
        if self.failures:
            raise self.failures.pop(0)
        content = await asyncio.to_thread(file.read_bytes)
        progress(len(content))
        self.received.append((to, way, content))
        return way.method


@dataclass
class FakeFileRequest:
    """A file that somebody's client asks for by itself."""

    person: BareJid
    offer: Offer
    language: str | None = None
    refusals: list[str] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    @property
    def sender(self) -> Sender:
        return Sender(Address(f"{self.person}/client"), self.person)

    async def send(self, file: Path, entry: Entry, progress: Callable[[int], None]) -> Method:
        self.sent.append(await asyncio.to_thread(file.read_bytes))
        progress(entry.blob.size)
        return Method.SOCKS5

    async def refuse(self, text: str) -> None:
        self.refusals.append(text)


@dataclass
class FakeStreamOffer:
    """A file that somebody offers by a stream, which may break after some bytes."""

    person: BareJid
    offer: Offer
    content: bytes
    resumable: bool = False
    breaks_at: int | None = None
    language: str | None = None
    name: str | None = None
    media_type: str | None = None
    late_hashes: Mapping[str, bytes] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    """Offsets at which the offer was accepted."""

    @property
    def sender(self) -> Sender:
        return Sender(Address(self.person), self.person)

    @property
    def size(self) -> int | None:
        return self.offer.size

    @asynccontextmanager
    async def accept(self, offset: int = 0) -> AsyncIterator["FakeStreamOffer"]:
        self.offsets.append(offset)
        yield self

    async def refuse(self, text: str) -> None:
        self.refusals.append(text)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self.content[self.offsets[-1] : self.breaks_at]
        if self.breaks_at is not None:
            raise PeerGone("broken")
