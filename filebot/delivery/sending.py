"""Sending: files go where people want them, and become a room's own if they are posted there."""

from filebot.checks.acts import FileRequested
from filebot.checks.checks import Checks
from filebot.delivery.context import DeliveryRequest
from filebot.delivery.worker import DeliveryWorker
from filebot.errors import NoSuchEntry, NotAllowed
from filebot.events.facts import Actor
from filebot.files.access import FileAccess
from filebot.files.quota import Quota
from filebot.files.sharing import Sharing
from filebot.model import Address, AddressKind, Entry, Method


class Sending:
    """Sends files on behalf of people who may have them."""

    def __init__(self, worker: DeliveryWorker, sharing: Sharing, quota: Quota, checks: Checks) -> None:
        self._worker = worker
        self._sharing = sharing
        self._quota = quota
        self._checks = checks

    async def send(
        self, access: FileAccess, by: Actor, entry: Entry, to: Address, method: Method | None = None
    ) -> Method | None:
        """Send a file; return by which method it went, or None if it waits.

        Only its owner can post it into another room than its own. Checks may have another file sent in its
        place. Raises NotAllowed, NoTransferMethod, AlreadySending, TooManyWaiting, TransferError or
        StorageError, and what the checks raise.
        """
        shares = _shares(access, entry, to)
        if FileRequested in self._checks.by_act:
            wanted = await self._checks.passed(FileRequested(by.sender, by.language, entry, to))
            try:
                access.must_be_sendable(wanted.entry, to)
            except NoSuchEntry:  # the name of another file is not theirs to read
                raise NoSuchEntry(entry.name) from None
            entry = wanted.entry
            shares = _shares(access, entry, to)
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


def _shares(access: FileAccess, entry: Entry, to: Address) -> bool:
    """Return whether the file becomes a room's by that. Raises NotAllowed if it may not go there."""
    shares = to.kind is AddressKind.ROOM and entry.room != to.jid
    if shares and entry.owner != access.owner:
        raise NotAllowed(reason="owner")
    if to.kind is AddressKind.ROOM:
        access.must_be_postable(entry, to.jid)
    return shares
