"""The clock of the tests that walk through all waits."""

import asyncio
import socket
import time

import pytest

from tests.support.virtual_time import Stuck, VirtualLoop, in_virtual_time, seconds


@in_virtual_time
async def test_an_hour_in_virtual_time_takes_no_real_time() -> None:
    began = time.monotonic()
    assert await seconds(asyncio.sleep(3600)) == pytest.approx(3600)
    assert time.monotonic() - began < 5


@in_virtual_time
async def test_timers_go_off_in_their_order() -> None:
    order: list[int] = []
    await asyncio.gather(*(_later(each, order) for each in (3, 1, 2)))
    assert order == [1, 2, 3]


async def _later(delay_s: int, order: list[int]) -> None:
    await asyncio.sleep(delay_s)
    order.append(delay_s)


@in_virtual_time
async def test_threads_and_sockets_take_no_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    one, two = socket.socketpair()
    with one, two:
        one.setblocking(False)
        two.setblocking(False)
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(time.sleep, 0.05)
            await loop.sock_sendall(one, b"x")
            assert await loop.sock_recv(two, 1) == b"x"
    assert loop.time() == 0.0


def test_a_wait_without_a_limit_is_an_error_at_once() -> None:
    loop = VirtualLoop()
    event = asyncio.Event()
    task = loop.create_task(event.wait())
    try:
        with pytest.raises(Stuck):
            loop.run_until_complete(task)
    finally:
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()
