"""Contract of every scanner (filebot.ports.Scanner), checked on the example of the manual."""

import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.ports import BackendServices, Scanner
from filebot.testing.contracts.scanner import EICAR, ScannerContract
from tests.support.manual import module_with

sys.modules["filebot_hashes"] = module_with("class HashScanner")
# The test that the manual shows, whole.
TestOfTheManual = module_with("class TestHashes(ScannerContract)").TestHashes


class TestHashes(ScannerContract):
    @pytest.fixture
    async def scanner(self, tmp_path: Path) -> AsyncIterator[Scanner]:
        names = tmp_path / "hashes.txt"
        names.write_text(f"{hashlib.sha256(EICAR).hexdigest()} Eicar test\n")
        factory = module_with("class HashScanner").hashes
        async with factory(BackendServices(f"hashes:{names}", tmp_path, 5.0)) as scanner:
            yield scanner
