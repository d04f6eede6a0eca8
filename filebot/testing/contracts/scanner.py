"""Contract of every scanner, for the tests of those who write one."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from filebot.ports import Scanner

EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The file that every scanner of viruses finds (eicar.org), which does no harm."""


class ScannerContract:
    """Tests of a scanner. A subclass has a fixture ``scanner``; ``HARMFUL`` is what it finds."""

    HARMFUL: bytes = EICAR

    async def test_what_is_harmful_has_a_name(self, scanner: Scanner, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(self.HARMFUL)
        found = await scanner.scan(file)
        assert isinstance(found, str)
        assert found.strip()

    @pytest.mark.parametrize("content", [b"", b"Some words.\n", bytes(3_000_000)])
    async def test_what_is_harmless_has_none(
        self, scanner: Scanner, tmp_path: Path, content: bytes
    ) -> None:
        file = tmp_path / "file"
        file.write_bytes(content)
        assert await scanner.scan(file) is None

    async def test_many_at_once_do_not_mix(self, scanner: Scanner, tmp_path: Path) -> None:
        async def scan(number: int) -> bool:
            file = tmp_path / str(number)
            file.write_bytes(self.HARMFUL if number % 2 else b"Some words.\n")
            return await scanner.scan(file) is not None

        assert await asyncio.gather(*map(scan, range(8))) == [bool(each % 2) for each in range(8)]

    async def test_what_is_gone_is_not_taken_for_harmless(self, scanner: Scanner, tmp_path: Path) -> None:
        with pytest.raises(Exception):  # noqa: B017, PT011 - its own
            await scanner.scan(tmp_path / "gone")

    async def test_the_file_stays_as_it_is(self, scanner: Scanner, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(self.HARMFUL)
        before = file.stat()
        await scanner.scan(file)
        assert file.read_bytes() == self.HARMFUL
        assert file.stat().st_mtime_ns == before.st_mtime_ns

    async def test_a_scan_that_is_cancelled_spoils_no_other(self, scanner: Scanner, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(self.HARMFUL)
        task = asyncio.create_task(scanner.scan(file))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert await scanner.scan(file) is not None
