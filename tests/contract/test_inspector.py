"""Contract of every inspector (filebot.ports.Inspector), checked on the bundled one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.backends.loading import load_backends
from filebot.ports import Inspector
from filebot.testing.contracts.inspector import InspectorContract


class TestLibmagic(InspectorContract):
    @pytest.fixture
    async def inspector(self, tmp_path: Path) -> AsyncIterator[Inspector]:
        async with load_backends(inspector="libmagic:").inspector.opened(tmp_path, 5.0) as inspector:
            yield inspector
