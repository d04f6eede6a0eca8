"""Plugin of pytest for the tests of plugins: the fixture ``bot_with``.

pytest finds it in every environment that has filebot, so it imports nothing until a test asks for the
fixture. Such a test is a coroutine; it needs no other plugin of pytest, and gets on with those that run
coroutines.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from filebot.testing import BotWith, FakeBot

FIXTURE: Final = "bot_with"


@pytest.fixture
def bot_with(request: pytest.FixtureRequest) -> "BotWith":
    """Give a test a function that starts bots with plugins, and takes what FakeBot takes.

    The bots are closed when the test ends.
    """
    from filebot.testing import FakeBot  # noqa: PLC0415 - it imports all of the bot

    item, bots = request.node, AsyncExitStack()
    if not inspect.iscoroutinefunction(item.obj):
        raise pytest.UsageError(f"{item.nodeid}: {FIXTURE} is for tests that are `async def`")
    item.obj = _closing(item.obj, bots)

    async def enter(*plugins: Any, **options: Any) -> "FakeBot":
        return await bots.enter_async_context(FakeBot(*plugins, **options))

    return enter


def _closing(test: Callable[..., Awaitable[None]], bots: AsyncExitStack) -> Callable[..., Awaitable[None]]:
    """Return a test that closes its bots, in the event loop that it runs in."""

    @wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        async with bots:
            await test(*args, **kwargs)

    return run


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test with the fixture in an event loop of its own, if no other plugin has made it one."""
    if FIXTURE not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
