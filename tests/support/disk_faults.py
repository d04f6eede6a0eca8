"""Fault injection for a full disk: the n-th write to a folder fails, in Python's calls or in SQLite's.

SQLite's calls are replaced in its default VFS (https://sqlite.org/c3ref/vfs.html, xSetSystemCall). Its
syncs cannot be replaced there; those of the blobs are.
"""

import _sqlite3
import ctypes
import errno
import os
import sqlite3  # loads the library
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

_ERROR: Final = -1
_PATHS: Final = {"open": 0, "rename": 0, "link": 1, "mkdir": 0}
"""Calls that may take space on disk, with the position of the path among their arguments."""
_FILES: Final = ("write", "fsync", "fdatasync", "ftruncate")


class DiskFaults:
    """Fault injector that counts the calls that may take space, and fails some of them."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.count = 0
        self._first = 0
        self._lasting = False
        self._lock = threading.Lock()

    def fail(self, first: int, *, lasting: bool) -> None:
        """Fail the call of this number, counted from now, or all calls from it on; 0 fails none."""
        with self._lock:
            self.count, self._first, self._lasting = 0, first, lasting

    def is_due(self) -> bool:
        """Count a call and return whether it fails."""
        with self._lock:
            self.count += 1
            reached = self._first and self.count >= self._first
            return bool(reached and (self._lasting or self.count == self._first))

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Replace Python's calls until the patch is undone."""
        for name, position in _PATHS.items():
            patch.setattr(os, name, self._by_path(getattr(os, name), name, position))
        for name in _FILES:
            patch.setattr(os, name, self._by_file(getattr(os, name)))

    def _by_path(self, call: Callable[..., Any], name: str, position: int) -> Callable[..., Any]:
        def faulty(*arguments: Any, **named: Any) -> Any:
            path, creates = str(arguments[position]), name != "open" or arguments[1] & os.O_CREAT
            if creates and path.startswith(self.root) and self.is_due():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
            return call(*arguments, **named)

        return faulty

    def _by_file(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(fd: int, *arguments: Any) -> Any:
            if self._is_ours(fd) and self.is_due():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(fd, *arguments)

        return faulty

    def _is_ours(self, fd: int) -> bool:
        return Path(f"/proc/self/fd/{fd}").readlink().is_relative_to(self.root)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("zName", ctypes.c_char_p),
        ("pAppData", ctypes.c_void_p),
        *((f"x{number}", ctypes.c_void_p) for number in range(13)),
        (
            "xSetSystemCall",
            ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
        ),
    )


_Write = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int64, use_errno=True)
_Open = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, use_errno=True)


@contextmanager
def faulty_sqlite(faults: DiskFaults) -> Iterator[None]:
    """Let SQLite's writes, growth of files and creation of files fail, too."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    assert library.sqlite3_libversion_number() == sqlite3.sqlite_version_info[0] * 1_000_000 + (
        sqlite3.sqlite_version_info[1] * 1000 + sqlite3.sqlite_version_info[2]
    ), "not the library that Python uses"
    vfs = library.sqlite3_vfs_find(None)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.pwrite64.restype = ctypes.c_ssize_t
    libc.pwrite64.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64)
    libc.ftruncate64.argtypes = (ctypes.c_int, ctypes.c_int64)

    def fails() -> bool:
        if not faults.is_due():
            return False
        ctypes.set_errno(errno.ENOSPC)
        return True

    def write(fd: int, data: int, size: int, offset: int) -> int:
        return _ERROR if fails() else int(libc.pwrite64(fd, data, size, offset))

    def truncate(fd: int, size: int) -> int:
        return _ERROR if fails() else int(libc.ftruncate64(fd, size))

    def create(path: bytes, flags: int, mode: int) -> int:
        is_new = flags & os.O_CREAT and not Path(os.fsdecode(path)).exists()
        return _ERROR if is_new and fails() else int(libc.open(path, flags, mode))

    writes, truncates, creates = _Write(write), _Truncate(truncate), _Open(create)
    calls = {b"pwrite": writes, b"pwrite64": writes, b"ftruncate": truncates, b"open": creates}
    for name, call in calls.items():
        done = vfs.contents.xSetSystemCall(vfs, name, ctypes.cast(call, ctypes.c_void_p))
        assert done == 0, f"SQLite's {name!r} cannot be replaced: {done}"
    try:
        yield
    finally:
        for name in calls:
            vfs.contents.xSetSystemCall(vfs, name, None)
