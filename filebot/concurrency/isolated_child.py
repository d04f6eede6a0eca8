"""Child process of an isolated call: runs one function under limits, and writes what it returned.

It is started by its path, and imports nothing of ours but the function's module. It says that the function
begins by one byte. Then it writes a status of one byte, the length in eight bytes, and a pickle of plain
values alone, which the other side reads without running anything. In the end it waits to be killed.
"""

import ctypes
import importlib
import importlib.util
import os
import pickle
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

BEGINS, RETURNED, RAISED, OUT_OF_MEMORY, NO_RESULT = b"B", b"R", b"E", b"M", b"N"
_PLAIN = (type(None), bool, int, float, str, bytes)
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_FORBIDDEN = (
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.exec",
    "os.system",
    "subprocess.Popen",
)


def main() -> None:
    """Do what standard input says."""
    output = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        for each in (1, 2):
            os.dup2(nothing.fileno(), each)
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the bot itself
    _end_with(job["parent"])
    try:
        sys.path[:] = job["path"]
        function = _found(job["module"], job["file"], job["source"], job["name"])
        args = pickle.loads(job["arguments"])  # noqa: S301 - from the bot itself
        _limit(job["memory_bytes"], job["limit_s"])
        output.write(BEGINS)
        output.flush()
        result = function(*args)
    except MemoryError:
        _answer(output, OUT_OF_MEMORY, "")
    except BaseException as error:  # noqa: BLE001 - all of it is for the other side
        _answer(output, RAISED, _told(error))
    else:
        strange = _strange(result)
        if strange:
            _answer(output, NO_RESULT, strange)
        else:
            _answer(output, RETURNED, result)
    signal.pause()


def _end_with(parent: int) -> None:
    """Let the kernel end this process with its parent, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _found(module: str, file: str, source: str | None, name: str) -> Any:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(module, file)
        if spec is None:
            raise
        found = importlib.util.module_from_spec(spec)
        sys.modules[module] = found
        # Not by its loader: what Python compiled may be of an earlier version of the same second.
        text = Path(file).read_bytes() if source is None else source
        exec(compile(text, file, "exec", dont_inherit=True), vars(found))  # noqa: S102 - as an import does
    return getattr(found, name)


def _limit(memory_bytes: int, limit_s: float) -> None:
    """Set the limits. What Python and the module take already is not counted."""
    used = 0
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    seconds = int(limit_s) + 1
    for number, limit in (
        (resource.RLIMIT_AS, used + memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, memory_bytes),
        (resource.RLIMIT_NPROC, 0),  # of processes and threads; the kernel spares root
    ):
        _, hard = resource.getrlimit(number)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(number, (most, most))
    os.nice(10)
    sys.addaudithook(_forbid)


def _forbid(event: str, _: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        raise PermissionError("an isolated function starts no processes")


def _strange(value: Any) -> str:
    """Return the name of a type in a value that is not plain; empty if all of it is."""
    waiting, seen = [value], set[int]()
    while waiting:
        each = waiting.pop()
        if type(each) in _PLAIN or id(each) in seen:
            continue
        seen.add(id(each))
        if type(each) in {list, tuple}:
            waiting += each
        elif type(each) is dict:
            waiting += [*each.keys(), *each.values()]
        else:
            return type(each).__name__
    return ""


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    try:
        text = str(error)[:500]
    except Exception:  # noqa: BLE001 - an error of somebody's own may have no text
        text = ""
    return f"{type(error).__name__}: {text}{place}"


def _answer(output: BinaryIO, status: bytes, value: Any) -> None:
    try:
        text = pickle.dumps(value, protocol=5)
    except MemoryError:
        status, text = OUT_OF_MEMORY, pickle.dumps("")
    output.write(status + len(text).to_bytes(8, "big"))
    output.write(text)
    output.flush()


if __name__ == "__main__":
    main()
