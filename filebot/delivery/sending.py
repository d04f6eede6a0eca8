"""Sending: files go where people want them, and become a room's own if they are posted there."""

from filebot.delivery.context import DeliveryRequest
from filebot.delivery.worker import DeliveryWorker
from filebot.errors import NotAllowed
from filebot.events.facts import Actor
from filebot.files.access import FileAccess
from filebot.files.quota import Quota
from filebot.files.sharing import Sharing
from filebot.model import Address, AddressKind, Entry, Method


class Sending:
    """Sends files on behalf of people who may have them."""

    def __init__(self, worker: DeliveryWorker, sharing: Sharing, quota: Quota) -> None:
        self._worker = worker
        self._sharing = sharing
        self._quota = quota

    async def send(
        self, access: FileAccess, by: Actor, entry: Entry, to: Address, method: Method | None = None
    ) -> Method | None:
        """Send a file; return by which method it went, or None if it waits.

        Only its owner can post it into another room than its own. Raises NotAllowed, NoTransferMethod,
        AlreadySending, TooManyWaiting, TransferError or StorageError.
        """
        shares = to.kind is AddressKind.ROOM and entry.room != to.jid
        if shares and entry.owner != access.owner:
            raise NotAllowed(reason="owner")
        if to.kind is AddressKind.ROOM:
            access.must_be_postable(entry, to.jid)
        if shares:  # before anything is uploaded; what counts is the moment of sharing
            async with self._quota.share(entry.owner, to.jid, entry.blob.size):
                pass

        async def ready() -> None:
            access.must_be_sendable(entry, to)
            if shares:
                # Before the room hears of it: whoever asks for it then must find it.
                await self._sharing.share(
                    entry, to.jid, by, lambda: access.must_have_voice(to.jid, access.own())
                )

        return await self._worker.send(DeliveryRequest(by.sender, by.language, entry, to, method, ready))
