"""Calls of functions in processes of their own, with limits on time, memory and output.

For heavy work, and for parsers of what strangers send: a crash, endless loop or full memory ends the child
alone. What comes back is read as plain values, so that a child that was taken over runs nothing here. It
is no sandbox: the child has the rights of the bot's account.
"""

import asyncio
import io
import os
import pickle
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import InspectLoader, SourceLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from filebot.concurrency import isolated_child
from filebot.errors import IsolatedError, PluginError

MIB: Final = 1024 * 1024
START_LIMIT_S: Final = 20.0
"""Time for the start of Python and the import of the module, beside the call's own."""
MOST_ARGUMENT_BYTES: Final = 8 * MIB
WAIT_LIMIT_S: Final = 5.0
"""Time that the system has to end a killed process."""
PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""Variables that the child's environment has; secrets are in none of them."""
_SIZE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one call in a process of its own. Raises ValueError for more than there may be."""

    seconds: float = 60.0
    """Longest time that the function may take."""
    memory_bytes: int = 256 * MIB
    """Most memory, beside what Python and the imported modules take."""
    output_bytes: int = MIB
    """Most bytes of the value that is returned."""

    def __post_init__(self) -> None:
        for name, value, most in (
            ("seconds", self.seconds, 600),
            ("memory_bytes", self.memory_bytes, 1024 * MIB),
            ("output_bytes", self.output_bytes, 16 * MIB),
        ):
            if not 0 < value <= most:
                raise ValueError(f"{name} is {value:g}; it is at most {most}, and more than 0")


async def call_isolated(function: Callable[..., Any], args: tuple[Any, ...], limits: Limits) -> Any:
    """Call a function of the top of a module in a process of its own, and return what it returned.

    Its arguments can be pickled; it returns None, numbers, texts, bytes, and lists, tuples and
    dictionaries of these. Raises IsolatedError, or PluginError if it cannot be called like this.
    """
    job = _job(function, args, limits)
    name = function.__name__
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(Path(isolated_child.__file__)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
            start_new_session=True,
        )
    except OSError as error:
        raise IsolatedError(name, "killed", f"cannot be started: {error.strerror}") from error
    try:
        return await _result(process, name, job, limits)
    finally:
        await _kill(process)


def _job(function: Callable[..., Any], args: tuple[Any, ...], limits: Limits) -> bytes:
    module = sys.modules.get(getattr(function, "__module__", ""))
    name = getattr(function, "__qualname__", "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or getattr(module, name, None) is not function:
        raise PluginError(
            f"{name or function!r} is no function of the top of a module; only such are isolated"
        )
    try:
        arguments = pickle.dumps(args)
    except Exception as error:
        raise PluginError(f"the arguments of {name} cannot be pickled: {error}") from error
    if len(arguments) > MOST_ARGUMENT_BYTES:
        raise PluginError(
            f"the arguments of {name} have {len(arguments)} bytes, more than {MOST_ARGUMENT_BYTES}; "
            "give it the path of a file"
        )
    return pickle.dumps(
        {
            "limit_s": limits.seconds,
            "memory_bytes": limits.memory_bytes,
            "parent": os.getpid(),
            "path": sys.path,
            "module": module.__name__,
            "file": file,
            "source": _source(module),
            "name": name,
            "arguments": arguments,
        }
    )


def _source(module: ModuleType) -> str | None:
    """Return what a module was made of, if its loader has kept that; the file may have changed since."""
    loader = module.__loader__
    if isinstance(loader, InspectLoader) and not isinstance(loader, SourceLoader):
        return loader.get_source(module.__name__)
    return None


async def _result(process: Process, name: str, job: bytes, limits: Limits) -> Any:
    assert process.stdin is not None  # noqa: S101 - piped
    assert process.stdout is not None  # noqa: S101
    limit_s = START_LIMIT_S
    try:
        async with asyncio.timeout(limit_s):
            process.stdin.write(job)
            await process.stdin.drain()
            process.stdin.close()
            status = await process.stdout.readexactly(1)
        limit_s = limits.seconds
        async with asyncio.timeout(limit_s):
            if status == isolated_child.BEGINS:
                status = await process.stdout.readexactly(1)
            size = int.from_bytes(await process.stdout.readexactly(_SIZE_BYTES), "big")
            if size > limits.output_bytes:
                raise IsolatedError(
                    name, "output", f"returned {size} bytes, more than {limits.output_bytes}"
                )
            text = await process.stdout.readexactly(size)
    except TimeoutError:
        raise IsolatedError(name, "time", f"took over {limit_s:g} s") from None
    except (asyncio.IncompleteReadError, ConnectionError):
        await _ended_by_itself(process, name)
    return _value(name, status, text)


def _value(name: str, status: bytes, text: bytes) -> Any:
    try:
        value = _PlainValues(io.BytesIO(text)).load()
    except Exception as error:
        raise IsolatedError(name, "output", "returned what cannot be read") from error
    match status:
        case isolated_child.RETURNED:
            return value
        case isolated_child.OUT_OF_MEMORY:
            raise IsolatedError(name, "memory", "needs more memory than it may have")
        case isolated_child.NO_RESULT:
            raise IsolatedError(name, "output", f"returned a {value}, which is no plain value")
        case _:
            raise IsolatedError(name, "raised", f"raised {value}")


async def _ended_by_itself(process: Process, name: str) -> NoReturn:
    try:
        async with asyncio.timeout(WAIT_LIMIT_S):
            code = await process.wait()
    except TimeoutError:
        raise IsolatedError(name, "killed", "has closed what its result goes by") from None
    if code == -signal.SIGXCPU:
        raise IsolatedError(name, "time", "took too much time")
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    raise IsolatedError(name, "killed", how)


async def _kill(process: Process) -> None:
    """End the child and everything that it began."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(WAIT_LIMIT_S):
            await process.wait()


class _PlainValues(pickle.Unpickler):
    """Reader of a pickle that has no classes and functions in it."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")
