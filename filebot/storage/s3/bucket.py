"""Bucket: small operations on its objects, each tried again for a while when the service is away.

A request is repeated by the client at once, and here after growing pauses: the client knows nothing of an
answer that was lost after a conditional write, and of a body that broke off.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final, TypeVar

import obstore
from obstore.store import S3Store

from filebot.concurrency.backoff import SPREAD, Backoff
from filebot.concurrency.tasks import settled
from filebot.errors import StorageUnavailable
from filebot.storage.file_system import StorageThreads
from filebot.storage.s3.address import Address
from filebot.storage.s3.failures import ObjectChanged, ObjectMissing, RangeEmpty, Refused, s3_errors

T = TypeVar("T")

AWAY_S: Final = 90.0
"""How long the service may be away before an operation fails."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 8.0
CONNECT_LIMIT_S: Final = 10.0
BODY_LIMIT_S: Final = 86_400.0
"""Time for a whole body; silence in it has its own limit."""

CLIENT_RETRIES: Final = 3
CLIENT_RETRY_S: Final = 10.0

PIECE_BYTES: Final = 1024 * 1024
PART_BYTES: Final = 8 * 1024 * 1024
"""Size of the parts of an upload, and of the largest object that goes in one request."""
MOST_PARTS: Final = 9_000  # of 10,000
PARTS_AT_ONCE: Final = 3
COPY_BYTES: Final = 5 * 10**9
"""Largest object that the service copies in one request."""


@dataclass(frozen=True, slots=True)
class About:
    """State of an object; the same of two objects means the same bytes."""

    size: int
    e_tag: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """Object of a list."""

    key: str
    modified: datetime
    """By the service's clock."""


class Bucket:
    """Objects under the prefix of an address. Raises StorageUnavailable when the service is."""

    def __init__(self, address: Address, idle_s: float, away_s: float = AWAY_S) -> None:
        self._address = address
        self._away_s = away_s
        self._store = _client(address, idle_s, away_s)

    async def put_new(self, key: str, data: bytes) -> About:
        """Write a small object that is not there. Raises ObjectExists, also after an answer was lost."""

        async def put() -> About:
            put = await obstore.put_async(self._store, key, data, mode="create")
            return About(len(data), put["e_tag"])

        return await self._lasting(put)

    async def replace(self, key: str, data: bytes) -> About:
        """Write a small object, in place of any other."""

        async def put() -> About:
            put = await obstore.put_async(self._store, key, data, mode="overwrite", use_multipart=False)
            return About(len(data), put["e_tag"])

        return await self._lasting(put)

    async def upload(self, key: str, path: Path, size: int, threads: StorageThreads) -> None:
        """Write a file of any size in parts, in place of any other object.

        It is visible whole or not at all. Parts of an upload that fails, or is cancelled, are removed.
        """

        async def pieces() -> AsyncGenerator[bytes, None]:
            file = await threads.run(path.open, "rb")
            try:
                while data := await threads.run(_read, file):
                    yield data
            finally:
                await threads.run(file.close)

        await self._lasting(lambda: self._upload(key, pieces, size))

    async def copy(self, source: str, target: str) -> bool:
        """Copy an object within the bucket, in place of any other. False if there is none."""
        about = await self.head(source)
        if about is None:
            return False
        try:
            if about.size <= COPY_BYTES:
                await self._lasting(lambda: obstore.copy_async(self._store, source, target))
            else:
                await self._lasting(lambda: self._upload(target, lambda: self.read(source), about.size))
        except ObjectMissing:
            return False
        copied = await self.head(target)
        if copied is None or copied.size != about.size:
            raise StorageUnavailable(f"{self._address.shown}: the copy of {source} is not whole")
        return True

    async def head(self, key: str) -> About | None:
        """Return the state of an object; None if there is none."""
        try:
            found = await self._lasting(lambda: obstore.head_async(self._store, key))
        except ObjectMissing:
            # This answer has no words: it may be the bucket that is gone.
            async for _ in self.listed(key):
                break
            return None
        return About(found["size"], found["e_tag"])

    async def modified(self, key: str) -> datetime:
        """Return when an object that is there was written, by the service's clock."""
        return (await self._lasting(lambda: obstore.head_async(self._store, key)))["last_modified"]

    async def read(
        self, key: str, offset: int = 0, e_tag: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from ``offset`` on, and go on where the body breaks off.

        Raises ObjectMissing; and ObjectChanged if it is, or becomes, another one than that of ``e_tag``.
        """
        patience, size, has_begun = _Patience(self._away_s), offset + 1, False
        while True:
            try:
                with s3_errors(self._address):
                    options: obstore.GetOptions = {"if_match": e_tag} if e_tag else {}
                    if offset:
                        options["range"] = {"offset": offset}
                    found = await obstore.get_async(self._store, key, options=options)
                    e_tag, size, has_begun = found.meta["e_tag"], found.meta["size"], True
                    stream = found.stream(PIECE_BYTES)
                while offset < size:
                    with s3_errors(self._address):
                        piece = await anext(stream, None)
                    if piece is None:
                        await patience.wait_after(
                            StorageUnavailable(f"{self._address.shown}: {key} broke off")
                        )
                        break
                    offset += len(piece)
                    patience = _Patience(self._away_s)
                    yield bytes(piece)
            except RangeEmpty:
                if has_begun:
                    raise ObjectChanged from None
                return
            except StorageUnavailable as error:
                await patience.wait_after(error)
            if offset >= size:
                return

    async def delete(self, key: str) -> None:
        """Delete an object. One that is not there is not an error."""
        try:
            await self._lasting(lambda: obstore.delete_async(self._store, key))
        except ObjectMissing:
            return

    async def listed(self, prefix: str) -> AsyncIterator[Listed]:
        """Yield the objects below a folder, in the order of their keys."""
        patience, last = _Patience(self._away_s), None
        while True:
            try:
                pages = obstore.list(self._store, prefix, offset=last)
                while True:
                    with s3_errors(self._address):
                        page = await anext(pages, None)
                    if page is None:
                        return
                    patience = _Patience(self._away_s)
                    for each in page:
                        last = each["path"]
                        yield Listed(last, each["last_modified"])
            except StorageUnavailable as error:
                await patience.wait_after(error)

    async def _upload(self, key: str, data: Callable[[], AsyncGenerator[bytes, None]], size: int) -> None:
        part_bytes = max(PART_BYTES, -(-size // MOST_PARTS))
        writer = obstore.open_writer_async(
            self._store, key, buffer_size=part_bytes, max_concurrency=PARTS_AT_ONCE
        )
        async with aclosing(data()) as pieces:
            try:
                async for piece in pieces:
                    await writer.write(piece)
            except BaseException as error:
                # It has the service remove the parts.
                await writer.__aexit__(type(error), error, error.__traceback__)
                raise
        # Half an end would leave the parts there for good, so a cancellation waits for it.
        await settled(asyncio.ensure_future(writer.close()))

    async def _lasting(self, request: Callable[[], Awaitable[T]]) -> T:
        patience = _Patience(self._away_s)
        while True:
            try:
                with s3_errors(self._address):
                    return await request()
            except StorageUnavailable as error:
                await patience.wait_after(error)


class _Patience:
    """Waits between tries, until the service has been away for too long."""

    def __init__(self, away_s: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + away_s
        self._pauses = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, SPREAD)

    async def wait_after(self, error: StorageUnavailable) -> None:
        """Pause; or raise the error if it stays, or the time is over."""
        if isinstance(error, Refused) or self._clock() > self._until:
            raise error
        await asyncio.sleep(self._pauses.next_s())


def _client(address: Address, idle_s: float, away_s: float) -> S3Store:
    keys = address.keys
    config: obstore.store.S3Config = {
        "region": address.region,
        "access_key_id": keys.access,
        "secret_access_key": keys.secret,
        "checksum_algorithm": "SHA256",
        "disable_bulk_delete": True,
    }
    if keys.token is not None:
        config["session_token"] = keys.token
    if address.endpoint is not None:
        config["endpoint"] = address.endpoint
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options={
            "allow_http": (address.endpoint or "").startswith("http:"),
            "connect_timeout": timedelta(seconds=CONNECT_LIMIT_S),
            "read_timeout": timedelta(seconds=idle_s),
            "timeout": timedelta(seconds=BODY_LIMIT_S),
        },
        retry_config={
            "max_retries": CLIENT_RETRIES,
            "retry_timeout": timedelta(seconds=min(CLIENT_RETRY_S, away_s)),
        },
    )


def _read(file: IO[bytes]) -> bytes:
    return file.read(PIECE_BYTES)
