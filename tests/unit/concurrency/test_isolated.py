"""Functions in processes of their own: whatever they do, they end alone and leave nothing behind."""

import asyncio
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from filebot.concurrency import isolated as isolated_module
from filebot.concurrency.isolated import MIB, Limits, call_isolated
from filebot.errors import IsolatedError, PluginError
from tests.support import isolated_functions as functions
from tests.support.waiting import until

LIMITS = Limits(seconds=20, memory_bytes=64 * MIB, output_bytes=10_000)


async def isolated(function: Callable[..., Any], *args: Any, limits: Limits = LIMITS) -> Any:
    return await call_isolated(function, args, limits)


async def test_plain_values_come_back_as_they_are() -> None:
    assert await isolated(functions.double, "ab") == "abab"
    assert await isolated(functions.values) == functions.values()


async def test_the_function_sees_no_variable_that_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILEBOT_PASSWORD", "secret")
    assert "FILEBOT_PASSWORD" not in await isolated(functions.environment)


async def test_output_of_the_function_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    assert await isolated(functions.print_much) == "done"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "args", "reason", "words"),
    [
        (functions.fail, ("odd",), "raised", r"fail raised ValueError: odd \(.*functions\.py, line \d+\)"),
        (functions.leave, (), "raised", "leave raised SystemExit: 3"),
        (functions.crash, (), "killed", "crash was killed by signal 11"),
        (functions.eat, (), "memory", "eat needs more memory than it may have"),
        (functions.large, (500_000_000,), "memory", "large needs more memory"),
        (functions.large, (10_001,), "output", r"large returned 100\d\d bytes, more than 10000"),
        (functions.odd, (), "output", "odd returned a Odd, which is no plain value"),
        (functions.fork, (), "raised", "fork raised PermissionError: an isolated function starts no proc"),
        (
            functions.run,
            (),
            "raised",
            "run raised PermissionError: an isolated function starts no processes",
        ),
    ],
)
async def test_each_way_to_fail_has_its_words(
    function: Callable[..., Any], args: tuple[Any, ...], reason: str, words: str
) -> None:
    with pytest.raises(IsolatedError, match=words) as raised:
        await isolated(function, *args)
    assert raised.value.reason == reason


@pytest.mark.parametrize("function", [functions.spin, functions.sleep])
async def test_what_takes_too_long_is_killed(function: Callable[..., Any]) -> None:
    args = (600,) if function is functions.sleep else ()
    with pytest.raises(IsolatedError, match=r"took over 0\.5 s") as raised:
        await isolated(function, *args, limits=Limits(seconds=0.5))
    assert raised.value.reason == "time"


async def test_what_closes_its_files_and_goes_on_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated_module, "WAIT_LIMIT_S", 0.2)
    with pytest.raises(IsolatedError, match="close_all has closed") as raised:
        await isolated(functions.close_all)
    assert raised.value.reason == "killed"


async def test_a_file_of_endless_size_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(IsolatedError):
        await isolated(functions.write, str(tmp_path / "a"), 65 * MIB)
    assert (tmp_path / "a").stat().st_size <= 64 * MIB


async def test_processes_that_it_forks_in_secret_are_killed_with_it(tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    notes.touch()
    await isolated(functions.fork_in_c, str(notes))
    pids = [int(line) for line in notes.read_text().split()]
    # Root may fork whatever the limit is; nobody else may.
    assert bool(pids) == (os.geteuid() == 0)
    await until(lambda: not any(map(is_running, pids)))


def is_running(pid: int) -> bool:
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


async def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    call = asyncio.create_task(isolated(functions.sleep, 600))
    mine = await until(lambda: children() or None)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: not any(map(is_running, mine)))


def children() -> list[int]:
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(each) for each in found.split() if is_running(int(each))]


def test_what_a_child_sends_runs_nothing_here() -> None:
    from filebot.concurrency import isolated as module

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, ("echo ran",)

    with pytest.raises(IsolatedError, match="returned what cannot be read"):
        module._value("evil", b"R", pickle.dumps([Evil()]))


async def test_what_cannot_be_called_there_is_refused_before() -> None:
    def local() -> None: ...

    for function in (local, lambda: None, functions.Odd().__str__, print):
        with pytest.raises(PluginError, match="is no function of the top of a module"):
            await isolated(function)
    with pytest.raises(PluginError, match="the arguments of double cannot be pickled"):
        await isolated(functions.double, lambda: None)
    with pytest.raises(PluginError, match="give it the path of a file"):
        await isolated(functions.double, bytes(9 * MIB))


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": 601}, {"memory_bytes": 2**31}])
def test_limits_have_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="it is at most"):
        Limits(**wrong)
