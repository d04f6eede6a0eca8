"""Blobs in S3 behind a bad network and a busy service, and with what an operator gets wrong."""

import asyncio
import hashlib
import logging
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from filebot.backends.loading import load_backends
from filebot.errors import BackendUnavailable, BlobCorrupt, ConfigError, StorageUnavailable
from filebot.model import Digest
from filebot.ports import BlobStore
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY
from filebot.storage.s3.bucket import PART_BYTES, Bucket
from filebot.storage.s3.store import S3Blobs, key_of
from filebot.testing.contracts.blob_partials import all_of, stored, whole
from filebot.testing.contracts.blob_store import BlobStoreContract
from tests.support.s3 import BUCKET, KEYS, S3Server, address_of, impatient_store, running_s3
from tests.support.s3_faults import Fault, FaultyS3, every, faulty_s3, first
from tests.support.waiting import until

pytestmark = pytest.mark.thorough

LARGE = bytes(range(256)) * (PART_BYTES // 256) + b"end"
ONE_PART = b"small" * 100_000

BROKEN_S = 2.0
"""Silence after which these stores give a request up."""


@pytest.fixture
def prefix() -> str:
    return f"f/{uuid.uuid4().hex}"


@pytest.fixture
async def proxy(server: S3Server) -> AsyncIterator[FaultyS3]:
    async with faulty_s3(server.endpoint) as proxy:
        yield proxy


@pytest.fixture
async def store(proxy: FaultyS3, prefix: str, tmp_path: Path) -> AsyncIterator[S3Blobs]:
    async with impatient_store(proxy.endpoint, prefix, tmp_path, away_s=30.0, idle_s=BROKEN_S) as store:
        yield store


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv(ACCESS_KEY, KEYS.access)
    monkeypatch.setenv(SECRET_KEY, KEYS.secret)
    return monkeypatch


class TestFaultyS3(BlobStoreContract):
    """The whole contract while every fourth request fails, each time in another way."""

    @pytest.fixture
    async def store(
        self, server: S3Server, proxy: FaultyS3, prefix: str, tmp_path: Path
    ) -> AsyncIterator[BlobStore]:
        proxy.plan = every(4, Fault)
        async with impatient_store(proxy.endpoint, prefix, tmp_path, away_s=30.0, idle_s=BROKEN_S) as store:
            self.direct = Bucket(address_of(server.endpoint, prefix), 5.0)
            yield store

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        await self.direct.replace(key_of(digest), instead)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("data", [ONE_PART, LARGE], ids=["small", "large"])
async def test_a_fault_of_a_write_does_no_harm(
    proxy: FaultyS3, store: S3Blobs, fault: Fault, data: bytes
) -> None:
    proxy.plan = first(1, fault, "PUT")
    ref = await stored(store, data)
    assert proxy.done[fault] == 1
    assert ref.digest == hashlib.sha256(data).hexdigest()
    assert await whole(store, ref.digest) == data


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_the_end_of_an_upload_in_parts_does_no_harm(
    proxy: FaultyS3, store: S3Blobs, fault: Fault
) -> None:
    proxy.plan = first(1, fault, "POST", "uploadId")
    ref = await stored(store, LARGE)
    assert proxy.done[fault] == 1
    assert await whole(store, ref.digest) == LARGE


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_of_a_read_is_gone_on_after(proxy: FaultyS3, store: S3Blobs, fault: Fault) -> None:
    ref = await stored(store, LARGE)
    proxy.plan = first(3, fault, "GET")
    assert await whole(store, ref.digest) == LARGE
    assert proxy.done[fault] == 3
    async with store.local_file(ref.digest) as file:
        assert file.read_bytes() == LARGE


async def test_an_outage_is_survived(server: S3Server, prefix: str, tmp_path: Path) -> None:
    async with impatient_store(server.endpoint, prefix, tmp_path, away_s=60.0) as store:
        ref = await stored(store, b"before")
        server.kill()
        reading = asyncio.ensure_future(whole(store, ref.digest))
        writing = asyncio.ensure_future(stored(store, LARGE))
        await asyncio.wait((reading, writing), timeout=1.0)
        assert not reading.done()
        assert not writing.done()
        await asyncio.to_thread(server.start)
        assert await reading == b"before"
        assert await whole(store, (await writing).digest) == LARGE


async def test_after_a_long_outage_nothing_is_lost_that_had_arrived(
    server: S3Server, prefix: str, tmp_path: Path
) -> None:
    async with impatient_store(server.endpoint, prefix, tmp_path, away_s=0.3) as store:
        server.kill()
        try:
            async with store.create([], "half") as writer:
                await writer.write(b"all of it")
                await writer.seal()
                with pytest.raises(StorageUnavailable):
                    await writer.commit()
            with pytest.raises(StorageUnavailable):
                await whole(store, "0" * 64)
        finally:
            await asyncio.to_thread(server.start)
        async with store.create([], "half", 100) as writer:
            assert writer.size == len(b"all of it")
            await writer.seal()
            ref = await writer.commit()
        assert await whole(store, ref.digest) == b"all of it"


@pytest.mark.parametrize("request_of", [("PUT", "partNumber=2"), ("POST", "uploadId")])
@pytest.mark.parametrize("parts", [2, 6])
async def test_a_cancelled_upload_leaves_no_parts(
    server: S3Server, proxy: FaultyS3, store: S3Blobs, request_of: tuple[str, str], parts: int
) -> None:
    proxy.plan = first(100, Fault.SILENCE, *request_of)
    writing = asyncio.ensure_future(stored(store, b"x" * (parts * PART_BYTES)))
    await until(lambda: proxy.done[Fault.SILENCE])
    await until(lambda: server.uploads)
    proxy.plan = lambda _method, _path: None
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await until(lambda: not server.uploads)


# --- what the operator got wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("region=us-east-1", "region=eu-west-1"), "correct the region"),
        ((f"s3://{BUCKET}/", "s3://nowhere/"), "make the bucket"),
    ],
)
async def test_a_wrong_place_stops_the_start(
    server: S3Server,
    tmp_path: Path,
    environment: pytest.MonkeyPatch,
    change: tuple[str, str],
    reason: str,
) -> None:
    url = server.url().replace(*change)
    with pytest.raises(ConfigError, match=reason):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(load_backends(url).store.opened(tmp_path, 5.0))


@pytest.mark.parametrize(
    ("variable", "reason"), [(ACCESS_KEY, "correct the access key"), (SECRET_KEY, "correct the secret key")]
)
async def test_a_wrong_key_stops_the_start_and_is_in_no_log(
    server: S3Server,
    tmp_path: Path,
    environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    reason: str,
) -> None:
    environment.setenv(variable, "mistyped-key")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigError, match=reason) as raised:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(load_backends(server.url()).store.opened(tmp_path, 5.0))
    shown = f"{raised.value} {raised.value.__cause__!r} {caplog.text}"
    assert KEYS.secret not in shown
    assert "\n" not in str(raised.value)
    if variable == SECRET_KEY:
        assert "mistyped-key" not in shown


async def test_a_service_that_is_away_is_no_mistake_of_the_config(
    server: S3Server, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    from filebot.storage.s3 import backend

    environment.setattr(backend, "OPEN_AWAY_S", 0.2)
    server.kill()
    try:
        with pytest.raises(BackendUnavailable, match="does not answer"):
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(load_backends(server.url()).store.opened(tmp_path, 5.0))
    finally:
        await asyncio.to_thread(server.start)


# --- what happens behind our back -------------------------------------------------------------------


async def test_a_bucket_that_is_gone_is_no_lost_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_s3(tmp_path / "s3") as server:
        async with impatient_store(server.endpoint, "a", tmp_path, away_s=0.3) as store:
            ref = await stored(store, b"abc")
            away = server.bucket.rename(tmp_path / "away")
            for ask in (whole(store, ref.digest), store.verify(ref.digest), store.delete(ref.digest)):
                with pytest.raises(StorageUnavailable, match="make the bucket"):
                    await ask
            with pytest.raises(StorageUnavailable):
                await all_of(store)
            with pytest.raises(StorageUnavailable):
                await stored(store, b"def")
            assert "lost or damaged" not in caplog.text
            away.rename(server.bucket)
            assert await whole(store, ref.digest) == b"abc"


async def test_an_object_that_was_truncated_is_noticed_and_mended(
    server: S3Server, prefix: str, store: S3Blobs, caplog: pytest.LogCaptureFixture
) -> None:
    ref = await stored(store, ONE_PART)
    await store.verify(ref.digest)
    (server.bucket / prefix / key_of(ref.digest)).write_bytes(ONE_PART[:-1])
    with pytest.raises(BlobCorrupt):
        await store.verify(ref.digest)
    with pytest.raises(BlobCorrupt):
        async with store.local_file(ref.digest):
            pass
    assert "lost or damaged" in caplog.text
    assert await stored(store, ONE_PART) == ref
    await store.verify(ref.digest)


async def test_an_object_that_is_changed_while_it_is_read_is_noticed(
    server: S3Server, proxy: FaultyS3, prefix: str, store: S3Blobs
) -> None:
    ref = await stored(store, LARGE)
    proxy.plan = first(1, Fault.CUT_BODY, "GET")
    reader = store.read(ref.digest)
    await anext(reader)
    await Bucket(address_of(server.endpoint, prefix), 5.0).replace(key_of(ref.digest), b"other")
    with pytest.raises(BlobCorrupt, match="changed"):
        async for _ in reader:
            pass


async def test_a_folder_that_others_fill_does_not_hurt(
    server: S3Server, prefix: str, store: S3Blobs
) -> None:
    ref = await stored(store, b"abc")
    folder = server.bucket / prefix / "blobs" / ref.digest[:2]
    shutil.copyfile(folder / ref.digest, folder / "copy of it")
    assert await all_of(store) == {ref.digest}
