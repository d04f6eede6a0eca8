"""One process at a time has a data folder."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from filebot.storage import folder_lock as module
from filebot.storage.folder_lock import LOCK_FILE, UNKNOWN_HOLDER, FolderInUse, folder_lock, holder_of

_HOLDS = """
import sys
from pathlib import Path
from filebot.storage.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 0.1)


def test_a_second_process_is_told_the_holder_and_the_time(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        with pytest.raises(FolderInUse, match=rf"process {process.pid} on .+, since \d{{4}}-.+ UTC"):
            folder_lock(tmp_path).__enter__()
        assert f"process {process.pid} on" in str(holder_of(tmp_path))
        process.kill()
        process.wait()
        assert holder_of(tmp_path) is None
        with folder_lock(tmp_path) as reliable:
            assert reliable


def test_removing_the_lock_file_does_not_release_the_lock(tmp_path: Path) -> None:
    with another_process(tmp_path):
        (tmp_path / LOCK_FILE).unlink()
        with pytest.raises(FolderInUse, match="another process"):
            folder_lock(tmp_path).__enter__()
        assert holder_of(tmp_path) == "another process"


def test_a_symbolic_link_leads_to_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    with folder_lock(tmp_path / "data"), pytest.raises(FolderInUse):
        folder_lock(tmp_path / "link").__enter__()


def test_testing_the_lock_does_not_keep_a_bot_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 5.0)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)  # as one who looks just now
    threading.Timer(0.2, os.close, (fd,)).start()
    began = time.monotonic()
    with folder_lock(tmp_path):
        assert time.monotonic() - began >= 0.1
    assert holder_of(tmp_path) is None


def test_testing_the_lock_makes_no_file(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    assert holder_of(tmp_path / "nowhere") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folders_only", [True, False])
def test_where_folders_have_no_locks_the_file_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders_only: bool
) -> None:
    flock = fcntl.flock

    def without(fd: int, how: int) -> None:
        if not folders_only or Path(f"/proc/self/fd/{fd}").resolve().is_dir():
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", without)
    with folder_lock(tmp_path) as reliable:
        assert reliable == folders_only
        assert (holder_of(tmp_path) is not None) == folders_only
        if folders_only:
            with pytest.raises(FolderInUse):
                folder_lock(tmp_path).__enter__()


def test_a_full_disk_is_locked_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with folder_lock(tmp_path):
        assert holder_of(tmp_path) == UNKNOWN_HOLDER
        with pytest.raises(FolderInUse):
            folder_lock(tmp_path).__enter__()


def test_other_errors_of_locking_are_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int, __: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"):
        folder_lock(tmp_path).__enter__()
