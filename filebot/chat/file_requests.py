"""Files that a person's client asks for by itself (XEP-0234, "Requesting a File")."""

from filebot.errors import NoSuchEntry, NotAllowed
from filebot.filenames import plain_text
from filebot.files.damage import naming
from filebot.files.transfers import Direction
from filebot.model import BareJid, Entry, Method, Offer, Scope
from filebot.ports import FileRequest
from filebot.services import Services


class Requests:
    """Gives people what is theirs to read, and nothing else."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def find(self, request: FileRequest) -> Entry:
        """The file meant: the person's own by its hash or name, or by name one of a room that they are in.

        Raises NotAllowed, NoSuchEntry or BlobCorrupt.
        """
        person = request.sender.jid
        if person is None or not self._services.access.serves(person):
            raise NotAllowed(reason="unserved")
        entry = await self._own(person, request.offer) or await self._of_a_room(person, request.offer)
        if entry is None:
            raise NoSuchEntry(plain_text(request.offer.name or ""))
        with naming(entry):
            await self._services.ports.store.verify(entry.blob.digest)
        return entry

    async def give(self, request: FileRequest, entry: Entry, language: str) -> Method:
        """Send it. Raises TransferError or StorageError."""
        shown = self._services.transfers.running(
            request.sender, language, entry.name, Direction.FROM_BOT, Method.SOCKS5, entry.blob.size
        )
        with shown as transfer:
            async with (
                self._services.slots.taken(transfer, in_burst=True),
                self._services.ports.store.local_file(entry.blob.digest) as file,
            ):
                return await request.send(file, entry, transfer.moved)

    async def _own(self, person: BareJid, asked: Offer) -> Entry | None:
        scope, catalog = Scope(owner=person), self._services.ports.catalog
        if "sha-256" in asked.hashes:
            return await catalog.find_by_digest(scope, person, asked.hashes["sha-256"].hex())
        return await self._named(scope, asked)

    async def _of_a_room(self, person: BareJid, asked: Offer) -> Entry | None:
        rooms = self._services.ports.rooms
        for room in sorted(rooms.joined()):
            if not self._services.room_settings.lets_read(room, person):
                continue
            if entry := await self._named(Scope(room=room), asked):
                return entry
        return None

    async def _named(self, scope: Scope, asked: Offer) -> Entry | None:
        """Of that name and, if a hash was given, with just these bytes."""
        name = plain_text(asked.name or "")
        entry = await self._services.ports.catalog.find_by_name(scope, name) if name else None
        if entry is None or asked.hashes.get("sha-256", b"").hex() in {"", entry.blob.digest}:
            return entry
        return None
