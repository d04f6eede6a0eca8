"""Requests for files by clients (XEP-0234, "Requesting a File")."""

import logging

from filebot.checks.acts import FileRequested
from filebot.checks.checks import Checks
from filebot.errors import FilebotError, NoSuchEntry, NotAllowed
from filebot.events.facts import FileDelivered
from filebot.filenames import plain_text
from filebot.files.access import Access
from filebot.files.damage import naming
from filebot.files.transfers import Direction, Slots, Transfers
from filebot.model import BareJid, Entry, Method, Offer, Scope
from filebot.plugin.conversation import Channel, errors_in_words
from filebot.ports import BlobStore, Catalog, FileRequest, Rooms
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)


class FileRequests:
    """Sends requested files that the person may read."""

    def __init__(
        self,
        *,
        channel: Channel,
        access: Access,
        catalog: Catalog,
        store: BlobStore,
        rooms: Rooms,
        room_settings: RoomSettingsStore,
        transfers: Transfers,
        slots: Slots,
        checks: Checks,
    ) -> None:
        self._channel = channel
        self._access = access
        self._catalog = catalog
        self._store = store
        self._rooms = rooms
        self._room_settings = room_settings
        self._transfers = transfers
        self._slots = slots
        self._checks = checks

    async def answer(self, request: FileRequest) -> None:
        """Send the file that a client asks for, or decline."""
        conversation = await self._channel.conversation(request.sender, request.language)
        try:
            entry = await self._find(request)
        except FilebotError as error:
            log.info("a request of %s is declined: %s", request.sender.jid, type(error).__name__)
            await request.refuse(self._channel.reply_sender.words(error, conversation.language))
            return
        conversation.action = "get"
        async with errors_in_words(conversation, name=entry.name):
            used = await self._send(request, entry, conversation.language)
            to, language = request.sender.address, request.language
            await self._channel.events.tell(
                FileDelivered(request.sender, language, entry, to, used, asked=False)
            )

    async def _find(self, request: FileRequest) -> Entry:
        """Return the requested file: one of the person's own by hash or name, or one of their rooms by
        name.

        Checks may put another in its place. Raises NotAllowed, NoSuchEntry, BlobCorrupt, or what the checks
        raise.
        """
        person = request.sender.jid
        if person is None or not self._access.serves(person):
            raise NotAllowed(reason="unserved")
        entry = await self._own(person, request.offer) or await self._of_a_room(person, request.offer)
        if entry is None:
            raise NoSuchEntry(plain_text(request.offer.name or ""))
        if FileRequested in self._checks.by_act:
            entry = await self._checked(request, person, entry)
        with naming(entry):
            await self._store.verify(entry.blob.digest)
        return entry

    async def _checked(self, request: FileRequest, person: BareJid, entry: Entry) -> Entry:
        act = FileRequested(request.sender, request.language, entry, request.sender.address)
        wanted = (await self._checks.passed(act)).entry
        is_own = wanted.owner == person
        is_in_room = wanted.room is not None and self._room_settings.lets_read(wanted.room, person)
        if not self._access.serves(person) or not (is_own or is_in_room):
            raise NoSuchEntry(entry.name)
        return wanted

    async def _send(self, request: FileRequest, entry: Entry, language: str) -> Method:
        """Send a file, and return how it went. Raises TransferError or StorageError."""
        shown = self._transfers.running(
            request.sender, language, entry.name, Direction.FROM_BOT, Method.SOCKS5, entry.blob.size
        )
        with shown as transfer:
            async with (
                self._slots.taken(transfer, in_burst=True),
                self._store.local_file(entry.blob.digest) as file,
            ):
                return await request.send(file, entry, transfer.moved)

    async def _own(self, person: BareJid, asked: Offer) -> Entry | None:
        scope = Scope(owner=person)
        if "sha-256" in asked.hashes:
            return await self._catalog.find_by_digest(scope, person, asked.hashes["sha-256"].hex())
        return await self._named(scope, asked)

    async def _of_a_room(self, person: BareJid, asked: Offer) -> Entry | None:
        for room in sorted(self._rooms.joined()):
            if not self._room_settings.lets_read(room, person):
                continue
            if entry := await self._named(Scope(room=room), asked):
                return entry
        return None

    async def _named(self, scope: Scope, asked: Offer) -> Entry | None:
        """Return the file of that name; if the request has a hash, only a file with that hash."""
        name = plain_text(asked.name or "")
        entry = await self._catalog.find_by_name(scope, name) if name else None
        if entry is None or asked.hashes.get("sha-256", b"").hex() in {"", entry.blob.digest}:
            return entry
        return None
