"""libmagic as a backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filebot.filetype.inspector import LibmagicInspector
from filebot.ports import BackendServices, Inspector


@asynccontextmanager
async def libmagic(_: BackendServices) -> AsyncIterator[Inspector]:
    """Make the inspector of ``libmagic:``."""
    yield LibmagicInspector()
