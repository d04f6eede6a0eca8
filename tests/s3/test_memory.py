"""A large file goes into S3 and back in constant memory."""

import asyncio
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.s3 import S3Server, impatient_store

pytestmark = pytest.mark.thorough

LARGE_MB: Final = 300
MOST_MB: Final = 120
"""Far more than parts on their way, and far less than the file."""


async def there_and_back(endpoint: str, folder: Path) -> int:
    """Return by how many MB the process grew at most."""
    before = peak_mb()
    async with impatient_store(endpoint, "memory", folder, away_s=30.0) as store:
        async with store.create() as writer:
            for number in range(LARGE_MB):
                await writer.write(bytes([number % 256]) * 1_000_000)
            await writer.seal()
            ref = await writer.commit()
        read = 0
        async for piece in store.read(ref.digest):
            read += len(piece)
        assert read == ref.size == LARGE_MB * 1_000_000
        await store.delete(ref.digest)
    return peak_mb() - before


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


def test_a_large_file_takes_little_memory(server: S3Server, tmp_path: Path) -> None:
    # In a process of its own: the peak of this one is that of all tests before.
    done = subprocess.run(
        [sys.executable, "-m", __name__, server.endpoint, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MB


if __name__ == "__main__":
    print(asyncio.run(there_and_back(sys.argv[1], Path(sys.argv[2]))))  # noqa: T201
