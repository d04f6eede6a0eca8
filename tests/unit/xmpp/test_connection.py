"""How long the bot waits before it tries again, and what it takes for a session."""

import pytest

from filebot.xmpp.connection import LONGEST_WAIT_S, wait_s
from filebot.xmpp.session import Session, SessionSettings
from tests.virtual_time import in_virtual_time


@pytest.mark.parametrize("failures", [1, 2, 5, 20, 10_000])
def test_the_wait_is_spread_and_never_longer_than_the_longest(failures: int) -> None:
    shortest, longest = wait_s(failures, 0.0), wait_s(failures, 1.0)
    assert shortest == longest / 2
    assert longest <= LONGEST_WAIT_S


def test_the_wait_grows_with_the_failures() -> None:
    waits = [wait_s(failures, 0.5) for failures in range(12)]
    assert waits == sorted(waits)
    assert waits[1] < 3


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
    session = Session(settings, on_message=lambda _: None, may_subscribe=lambda _: True)
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
