"""External components (XEP-0114) with which tests simulate services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slixmpp import ComponentXMPP

from tests.support.waiting import loop_turns

LIMIT_S = 20.0


async def log_in(component: ComponentXMPP) -> None:
    """Connect the component and wait until the server has accepted it."""
    began = asyncio.Event()
    component.add_event_handler("session_start", lambda _: began.set())
    component.connect()
    await asyncio.wait_for(began.wait(), LIMIT_S)


@asynccontextmanager
async def logged_in(component: ComponentXMPP) -> AsyncIterator[None]:
    """Keep the component logged in while the context is open, and log it out in order."""
    await log_in(component)
    try:
        yield
    finally:
        await component.disconnect(wait=1.0)
        await loop_turns()  # COMPAT(slixmpp, 1.17): its cancelled tasks need a turn to end
