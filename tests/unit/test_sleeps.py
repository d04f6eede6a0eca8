"""Tests wait for what they are about to see, not for a moment that is long enough on a quick machine.

``tests/support/waiting.py`` waits for a condition, and lets tasks run where nothing can be seen;
``tests/support/virtual_time.py`` has a clock of its own.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Waits by the clock under a second, by the function that has them.
ALLOWED = {
    "tests/e2e/test_another_client.py::test_what_only_another_client_heard_is_found_in_the_archive": (
        "the test is about a mark in the archive that is saved, and any moment of saving it is right"
    ),
    "tests/e2e/test_lifecycle.py::test_a_stop_waits_for_what_is_being_written": (
        "nothing is to happen: a stop that does not wait would have ended the bot by then"
    ),
    "tests/e2e/test_many_streams.py::ask_all_the_time": "pace of somebody who asks",
    "tests/e2e/test_probes.py::test_under_a_servers_limit_chat_does_not_wait_for_the_measurement": (
        "pace of somebody who asks"
    ),
    "tests/e2e/test_streams.py::test_a_command_does_not_wait_behind_a_file": "pace of somebody who asks",
    "tests/e2e/test_progress.py::slow_file": "pace of a slow web server",
    "tests/e2e/test_resume.py::kill_server": "a sender may go on for a while before it is killed, too",
    "tests/e2e/test_session.py::test_the_bot_may_start_before_its_server": (
        "nothing is to happen: the bot is not to give up"
    ),
    "tests/e2e/test_session.py::test_what_the_server_had_taken_before_it_crashed_is_not_said_twice": (
        "the server shows nobody that it has written its archive"
    ),
    "tests/e2e/test_stanza_size.py::test_long_answers_come_in_parts_and_the_session_lasts": (
        "nothing is to happen: the server is not to end the session"
    ),
    "tests/e2e/test_streams.py::test_a_slow_reader_slows_the_sender": (
        "nothing is to happen: no more blocks are to be acknowledged"
    ),
    "tests/unit/transfer/http/test_download.py::half_then": (
        "a real HTTP client is to have read before the connection breaks"
    ),
    "tests/unit/transfer/http/test_download.py::test_a_rest_that_breaks_is_gone_on_with_from_there": (
        "a real HTTP client is to have read before the connection breaks"
    ),
    "tests/unit/test_waits.py::taken": "called in virtual time only",
}


def sleeps(source: str) -> Iterator[tuple[str, float]]:
    """Yield the literal sleeps under a second in real time: outermost function and seconds."""
    for outermost in ast.parse(source).body:
        if not isinstance(outermost, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield from ((outermost.name, seconds) for seconds in _of(outermost))


def _of(node: ast.AST) -> Iterator[float]:
    if isinstance(node, ast.AsyncFunctionDef) and any(
        ast.unparse(each) == "in_virtual_time" for each in node.decorator_list
    ):
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep") and node.args:
        argument = node.args[0]
        seconds = argument.value if isinstance(argument, ast.Constant) else None
        if isinstance(seconds, int | float) and 0 < seconds < 1:
            yield seconds
    for child in ast.iter_child_nodes(node):
        yield from _of(child)


def found() -> set[str]:
    return {
        f"{path.relative_to(ROOT)}::{function}"
        for path in (ROOT / "tests").rglob("*.py")
        for function, _ in sleeps(path.read_text(encoding="utf-8"))
    }


def test_no_test_waits_for_a_moment_by_the_clock() -> None:
    assert found() - ALLOWED.keys() == set()


def test_every_exception_is_still_there() -> None:
    assert ALLOWED.keys() - found() == set()


def test_sleeps_are_found_in_real_time_only() -> None:
    source = """
@in_virtual_time
async def test_a():
    await asyncio.sleep(0.1)

async def test_b():
    async def inner():
        time.sleep(0.5)
    await asyncio.sleep(0)
    await asyncio.sleep(1)
"""
    assert [*sleeps(source)] == [("test_b", 0.5)]
