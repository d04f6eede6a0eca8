"""The process ends, whatever foreign code does."""

import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> "subprocess.CompletedProcess[str]":
    prelude = """
    import asyncio, time
    from contextlib import suppress
    from filebot.concurrency import tasks
    from filebot.concurrency.tasks import Threads
    from filebot.concurrency import process
    tasks.END_LIMIT_S = process.THREADS_LIMIT_S = 0.2
    """
    script = textwrap.dedent(prelude) + textwrap.dedent(code)
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_an_ordinary_end_has_its_exit_code_and_says_nothing() -> None:
    done = run("""
    threads = Threads("work", 1)
    async def main():
        await threads.run(time.sleep, 0.01)
        return 3
    process.leave(process.run_to_end(main()))
    """)
    assert (done.returncode, done.stderr) == (3, "")


def test_what_the_coroutine_raises_is_raised() -> None:
    done = run("""
    async def main():
        asyncio.get_running_loop().create_task(asyncio.sleep(60))
        raise LookupError("odd")
    process.run_to_end(main())
    """)
    assert done.returncode == 1
    assert "LookupError: odd" in done.stderr


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (
            "asyncio.get_running_loop().create_task(deaf(), name='the deaf one'); await asyncio.sleep(0)",
            "the deaf one ignores that it is cancelled",
        ),
        (
            "await asyncio.wait_for(Threads('plugin', 1).start(time.sleep, 60), 0.1)",
            "filebot-plugin_0 does",
        ),
        ("await asyncio.wait_for(asyncio.to_thread(time.sleep, 60), 0.1)", "asyncio_0 does not end"),
    ],
)
def test_a_task_or_a_thread_that_never_ends_does_not_hold_it_up(work: str, words: str) -> None:
    done = run(f"""
    async def deaf():
        while True:
            with suppress(BaseException):
                await asyncio.sleep(60)
    async def main():
        with suppress(TimeoutError):
            {work}
        return 3
    process.leave(process.run_to_end(main()))
    """)
    assert done.returncode == 3
    assert words in done.stderr
