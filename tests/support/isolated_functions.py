"""Functions that run in processes of their own in tests: some do what they should, most do not."""

import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Odd:
    """A value that is not plain."""


def double(value: Any) -> Any:
    return value * 2


def values() -> Any:
    return {"a": [1, 2.5, None, True, b"\0", ("é",)], 3: {}}


def environment() -> list[str]:
    return sorted(os.environ)


def fail(text: str) -> None:
    raise ValueError(text)


def leave() -> None:
    sys.exit(3)


def close_all() -> None:
    """Close every file, as what becomes a daemon does, and go on."""
    os.closerange(0, 1000)
    time.sleep(600)


def crash() -> None:
    ctypes.string_at(0)


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def eat() -> int:
    kept = []
    while True:
        kept.append(bytes(1_000_000))


def large(size: int) -> bytes:
    return bytes(size)


def odd() -> list[Odd]:
    return [Odd()]


def write(path: str, size: int) -> None:
    with Path(path).open("wb") as file:
        file.write(bytes(size))


def fork() -> int:
    return os.fork()


def run() -> int:
    return os.system("true")


def fork_in_c(path: str) -> int:
    """Fork behind Python's back as often as it can, and note the children."""
    for _ in range(20):
        pid = ctypes.CDLL(None).fork()
        if pid == 0:
            time.sleep(600)
            os._exit(0)
        if pid > 0:
            with Path(path).open("a") as file:
                file.write(f"{pid}\n")
    return 0


def thread() -> str:
    try:
        threading.Thread(target=time.sleep, args=(0,)).start()
    except RuntimeError:
        return "no threads"
    return "threads"


def print_much() -> str:
    for _ in range(10_000):
        sys.stdout.write("x" * 100)
        sys.stderr.write("y" * 100)
    return "done"
