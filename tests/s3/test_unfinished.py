"""Uploads that a crash left unfinished, on a real server."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest

from filebot.errors import StorageUnavailable
from filebot.storage.s3.address import Address, Keys
from filebot.storage.s3.bucket import PART_BYTES, Bucket
from filebot.storage.s3.store import key_of
from filebot.storage.s3.unfinished import abort_old, signed_url
from tests.support.s3 import KEYS, S3Server, address_of, running_s3
from tests.support.waiting import until

pytestmark = pytest.mark.thorough

ANY_AGE = timedelta(seconds=-60)
"""Times of uploads have fractions, and those of answers do not."""


async def begin_upload(server: S3Server, address: Address, key: str) -> object:
    """Send a part and stop there, as a process that was killed; return what must not be collected."""
    writer = obstore.open_writer_async(Bucket(address, 5.0)._store, key, buffer_size=PART_BYTES)
    before = len(server.uploads)
    await writer.write(b"x" * (2 * PART_BYTES))
    await until(lambda: len(server.uploads) == before + 2)
    return writer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    with running_s3(tmp_path) as server:
        yield server


async def test_parts_of_old_uploads_of_its_own_are_removed(server: S3Server) -> None:
    mine, others = (address_of(server.endpoint, f"u/{uuid.uuid4().hex}") for _ in range(2))
    kept = [await begin_upload(server, address, key_of("ab" * 32)) for address in (mine, others)]
    assert abort_old(mine) == 0
    assert abort_old(mine, ANY_AGE) == 1
    assert abort_old(mine, ANY_AGE) == 0
    assert abort_old(others, ANY_AGE) == 1
    await until(lambda: not server.uploads)
    assert len(kept) == 2


@pytest.mark.parametrize("keys", [Keys("loopback", "another"), Keys("nobody", KEYS.secret)])
async def test_what_cannot_be_listed_is_told_without_the_signature(server: S3Server, keys: Keys) -> None:
    with pytest.raises(StorageUnavailable, match=r"40[34] to GET") as raised:
        abort_old(address_of(server.endpoint, "u", keys))
    assert "Signature" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_url_has_the_signature_and_not_the_secret() -> None:
    keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "token/+=")
    address = Address("bucket", "a", "https://s3.example.org:9000", "eu-west-1", keys)
    url = signed_url(address, "GET", "a/b c", {"uploads": ""}, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert url.startswith("https://s3.example.org:9000/bucket/a/b%20c?X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert "X-Amz-Date=20300102T030405Z" in url
    assert "X-Amz-Security-Token=token%2F%2B%3D" in url
    assert keys.secret not in url
