"""Private cluster of PostgreSQL, in a temporary folder and reached by a socket in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import sqlalchemy as sa

PROGRAMS: Final = Path("/usr/lib/postgresql")
"""Folder of Debian's packages; one folder for each version."""
USER: Final = "postgres"
"""System user by whom it is run where we are root: PostgreSQL refuses to run as root."""

START_LIMIT_S: Final = 60

_QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Settings of a cluster whose machine does not lose its power."""


class PostgresCluster:
    """Cluster that can be stopped, killed, and started again with what it has."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        """A ``durable`` one writes its data through to the disk."""
        self.folder = folder
        settings = ("listen_addresses=", f"unix_socket_directories={folder}", "shared_buffers=32MB")
        chosen = settings if durable else (*settings, *_QUICK)
        self._options = " ".join(f"-c {each}" for each in chosen)

    def url(self, database: str) -> str:
        """Return the URL of a database in it."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def make(self) -> None:
        """Make the cluster, with texts in UTF-8 ordered as in Debian's default, and not byte by byte."""
        locale = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
        self._run(
            "initdb", "--pgdata", self._data, f"--username={USER}", "--auth=trust", "--no-sync", *locale
        )

    def start(self) -> None:
        log = str(self.folder / "log")
        self._run(
            *("pg_ctl", "start", "--wait", f"--timeout={START_LIMIT_S}"),
            *("--pgdata", self._data, "--log", log, "--options", self._options),
        )

    def stop(self) -> None:
        """End it at once and wait until it is gone; what was committed is found at the next start."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", self._data)

    def create(self, database: str, *, template: str = "template0") -> None:
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Execute a statement by psql and return what it printed."""
        return self._run(
            *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"),
            *("--host", str(self.folder), "--username", USER, "--command", statement, database),
        ).strip()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> str:
        newest = max(PROGRAMS.glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
        as_user = ("runuser", "-u", USER, "--") if os.geteuid() == 0 else ()
        done = subprocess.run(
            [*as_user, str(newest), *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * START_LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
        return done.stdout


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[PostgresCluster]:
    """Run a cluster until the context is left, and remove it then."""
    # The path of a socket has at most 107 bytes, and pytest's folders have long names.
    folder = Path(tempfile.mkdtemp(prefix="filebot-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    cluster = PostgresCluster(folder, durable=durable)
    try:
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def postgres_url(cluster: PostgresCluster) -> sa.URL:
    """Return the URL of an empty database."""
    name = f"catalog-{uuid4().hex}"
    cluster.create(name)
    return sa.make_url(cluster.url(name))
