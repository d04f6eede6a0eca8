"""Fakes of the ``Rooms`` and ``UploadService`` ports: no server, the same promises."""

from collections.abc import Mapping

from filebot.errors import NoUploadService, TooLargeForService
from filebot.model import BareJid, Slot


class FixedRooms:
    """Rooms with a fixed roll: for each room the real JIDs that it shows."""

    def __init__(self, rolls: Mapping[BareJid, frozenset[BareJid]] | None = None) -> None:
        self._rolls = dict(rolls or {})

    def joined(self) -> frozenset[BareJid]:
        return frozenset(self._rolls)

    def is_present(self, room: BareJid, jid: BareJid) -> bool:
        return jid in self._rolls.get(room, frozenset())

    def room_like(self, target: str) -> BareJid | None:
        room = target.strip().removeprefix("xmpp:").partition("?")[0].partition("/")[0].lower()
        return room if room in self._rolls else None


class FakeUploadService:
    """Gives slots on one host until it is told to be away."""

    def __init__(self, host: str = "upload.example.org", limit_bytes: int | None = None) -> None:
        self._host = host
        self.limit_bytes = limit_bytes
        self.away = False
        self.slots: list[Slot] = []
        """All that were given."""

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
