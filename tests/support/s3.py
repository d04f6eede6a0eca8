"""Real server of S3 on loopback, versitygw, with its objects in a folder."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from filebot.localserver.server import free_ports
from filebot.storage.s3.address import Address, Keys
from filebot.storage.s3.bucket import Bucket
from filebot.storage.s3.store import S3Blobs
from tests.support.waiting import POLL_S

PROGRAM: Final = Path(__file__).parents[2] / ".venv" / "share" / "versitygw" / "versitygw"
BUCKET: Final = "files"
KEYS: Final = Keys("loopback", "loopback-secret")

START_LIMIT_S: Final = 30.0


class S3Server:
    """Server that can be stopped, and started again with what it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data" / BUCKET).mkdir(parents=True)
        (folder / "about").mkdir()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def uploads(self) -> list[Path]:
        """Parts of uploads that are not finished."""
        return [path for path in self.bucket.glob(".sgwtmp/multipart/*/*/*") if path.is_file()]

    @property
    def bucket(self) -> Path:
        return self.folder / "data" / BUCKET

    def url(self, prefix: str = "blobs-of-test", endpoint: str | None = None) -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={endpoint or self.endpoint}&region=us-east-1"

    def start(self) -> None:
        keys = {"ROOT_ACCESS_KEY": KEYS.access, "ROOT_SECRET_KEY": KEYS.secret}
        data, about = self.folder / "data", self.folder / "about"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", "--sidecar", about, data],
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **keys},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End it at once, with all that it started, and wait until it is gone."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Run a server as long as the context is open."""
    if not PROGRAM.exists():
        pytest.fail("versitygw is not there; run: scripts/bootstrap test")
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def address_of(endpoint: str, prefix: str, keys: Keys = KEYS) -> Address:
    return Address(BUCKET, prefix, endpoint, "us-east-1", keys)


@asynccontextmanager
async def impatient_store(
    endpoint: str, prefix: str, root: Path, *, away_s: float, idle_s: float = 5.0
) -> AsyncIterator[S3Blobs]:
    """Open a store that waits for its service no longer than this."""
    store = await S3Blobs.open(Bucket(address_of(endpoint, prefix), idle_s, away_s), root)
    try:
        yield store
    finally:
        await store.close()
