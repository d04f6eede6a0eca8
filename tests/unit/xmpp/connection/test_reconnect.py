"""How long the bot waits before it tries again, and what it takes for a session."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from filebot.xmpp.connection import reconnect
from filebot.xmpp.connection.authentication import refused_backoff
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession
from tests.support.virtual_time import in_virtual_time, seconds


@in_virtual_time
async def test_a_session_that_was_never_set_up_is_set_up_when_it_is_resumed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = SessionSettings(
        "files.example.org",
        "secret",
        mode="component",
        host="127.0.0.1",
        port=1,
        rooms=("tea@muc.example.org",),
    )
    session = XmppSession(settings, Handlers(message=lambda _: None, is_served=lambda _: True))
    entered = 0

    async def enter() -> None:
        nonlocal entered
        entered += 1
        if entered == 1:
            raise RuntimeError("a bug")

    monkeypatch.setattr(session.rooms, "enter", enter)
    with pytest.raises(RuntimeError):
        await session._online(resumed=False)
    await session._online(resumed=True)
    assert entered == 2
    await session._online(resumed=True)
    assert entered == 2
    await session.stop()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens there, and nobody else comes to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_each_failed_attempt_is_logged_with_its_cause_and_the_last_one_is_told(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reconnect, "LONGEST_WAIT_S", 0.0)
    settings = SessionSettings("bot@localhost", "x", host="127.0.0.1", port=closed_port)
    session = XmppSession(
        settings, Handlers(message=lambda _: None, is_served=lambda _: False), most_attempts=3
    )
    refused = f"[Errno 111] Connect call failed ('127.0.0.1', {closed_port})"
    async with session:
        with pytest.raises(ConnectionError) as caught:
            await session.run_until_ready()
    assert str(caught.value) == f"no connection in 3 attempts: {refused}"
    assert session.trouble == refused
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == [f"not connected ({refused}); trying again in 0.0 s"] * 2


@pytest.mark.parametrize("choose", [min, max])
def test_refused_logins_never_add_up_to_a_ban_of_ejabberd(
    choose: Callable[[float, float], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", choose)
    # mod_fail2ban at its defaults: 20 failures, forgotten within 70 minutes after the last one.
    backoff = refused_backoff()
    waits = [backoff.next_s() for _ in range(1000)]
    assert 300 <= waits[0] < 600
    assert waits == sorted(waits)
    assert next(number for number, wait in enumerate(waits) if wait > 70 * 60) < 10
    assert waits[-1] < 2 * 3600


@in_virtual_time
async def test_a_refused_login_of_a_running_bot_waits_long_and_tells_the_remedy(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = XmppSession(
        SessionSettings("bot@localhost", "x"), Handlers(message=lambda _: None, is_served=lambda _: False)
    )
    link, attempts = session._connection, list[float]()

    async def live_once() -> float:
        attempts.append(asyncio.get_running_loop().time())
        link._was_online, link._refusal = True, ""
        if len(attempts) in {2, 3}:
            link.refuse("not-authorized")
        elif len(attempts) == 4:
            link.finish()
        return 0.0

    monkeypatch.setattr(link, "_live_once", live_once)
    await link.run()
    assert [attempt >= earlier + 300 for earlier, attempt in pairwise(attempts)] == [False, True, True]
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(told) == 2
    assert all("look at xmpp.jid and password" in each and "start the bot again" in each for each in told)
    await session.stop()


@in_virtual_time
async def test_a_connection_that_breaks_while_the_session_is_set_up_is_given_up_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = XmppSession(
        SessionSettings("bot@localhost", "x"), Handlers(message=lambda _: None, is_served=lambda _: False)
    )
    link, loop = session._connection, asyncio.get_running_loop()
    ended = list[str]()

    async def connect() -> bool:
        loop.call_soon(lambda: link._begin(resumed=False))
        loop.call_later(5.0, link._end, None)
        return True

    async def online(resumed: bool) -> None:
        try:
            await asyncio.sleep(120.0)  # no answer comes any more
        finally:
            ended.append("set up no further")

    monkeypatch.setattr(link, "_connect", connect)
    monkeypatch.setattr(link, "_online", online)
    assert await seconds(_alive(link)) == 5.0
    assert ended == ["set up no further"]
    await session.stop()


async def _alive(link: reconnect.StreamKeeper) -> None:
    await link._live_once()
