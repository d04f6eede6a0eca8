"""Receiving of one file: from an open download to sealed bytes, checked against all that was announced."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from filebot.errors import DigestMismatch, EmptyFile, SizeMismatch, TransferError
from filebot.files.quota import Reservation
from filebot.files.transfers import Transfer
from filebot.model import Offer
from filebot.ports import BlobWriter, Data, Download

GRACE_PERIOD_S = 3600.0
"""Time for which a file may come at any speed, by whatever method."""
SLOWEST_BYTES = 1000
"""Bytes a second that have to come after that."""


async def receive(
    download: Download,
    offer: Offer,
    writer: BlobWriter,
    reservation: Reservation,
    watch: Transfer | None,
) -> None:
    """Write the bytes of a download as they come.

    Raises TransferError, FileTooLarge, QuotaExceeded, RoomQuotaExceeded or StorageError.
    """
    until_s = asyncio.get_running_loop().time() + GRACE_PERIOD_S - writer.size / SLOWEST_BYTES
    async with aclosing(download.chunks()) as chunks:
        while (chunk := await _next(chunks, until_s + writer.size / SLOWEST_BYTES)) is not None:
            size = writer.size + len(chunk)
            reservation.grow_to(size)
            _check_not_over(offer.size, size)
            await writer.write(chunk)
            reservation.wrote(size)
            if watch is not None:
                watch.moved(size)


async def _next(chunks: AsyncGenerator[Data, None], until_s: float) -> Data | None:
    """Return the next piece, or None at the end.

    Raises TransferError if neither has come by then: whoever sends a byte now and then, or what is no byte
    of the file at all, would hold one of the places of those who receive for ever.
    """
    try:
        async with asyncio.timeout_at(until_s) as limit:
            return await anext(chunks, None)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TransferError(f"less than {SLOWEST_BYTES} bytes a second") from error


async def sealed(writer: BlobWriter, offer: Offer) -> Mapping[str, bytes]:
    """Finish the bytes, check how many there are, and return their digests."""
    if writer.size == 0:
        raise EmptyFile
    if offer.size is not None and writer.size != offer.size:
        raise SizeMismatch(announced_bytes=offer.size, received_bytes=writer.size)
    return await writer.seal()


def check_hashes(
    digests: Mapping[str, bytes],
    announced: Mapping[str, bytes],
    late: Mapping[str, bytes],
    *,
    resumed: bool,
) -> None:
    """Check everything that was announced and can be checked. Raises DigestMismatch.

    A hash that was promised and did not come is missed only where bytes of two attempts were joined.
    """
    checked = False
    for hashes in (announced, late):
        for algorithm in hashes.keys() & digests.keys():
            if digests[algorithm] != hashes[algorithm]:
                raise DigestMismatch(algorithm=algorithm, resumed=resumed)
            checked = True
    if resumed and not checked:
        raise DigestMismatch(resumed=True)


def _check_not_over(announced_bytes: int | None, received_bytes: int) -> None:
    if announced_bytes is not None and received_bytes > announced_bytes:
        raise SizeMismatch(announced_bytes=announced_bytes, received_bytes=received_bytes)
