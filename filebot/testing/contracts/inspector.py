"""Contract of every inspector, for the tests of those who write one."""

from pathlib import Path
from typing import Final

import pytest

from filebot.model import FileKind
from filebot.ports import Inspector

CONTENTS: Final = {
    "empty": b"",
    "text": b"Some words.\n",
    "zeros": bytes(100_000),
    "a broken picture": b"\x89PNG\r\n\x1a\n" + b"\xff" * 64,
    "a broken archive": b"PK\x03\x04" + b"\xff" * 64,
    "a picture that claims gigabytes": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2,
}
NAMES: Final = ("a.txt", "", "..", "a" * 255, "\N{SNOWMAN}.pdf", "a\nb.png")


class InspectorContract:
    """Tests of an inspector. A subclass has a fixture ``inspector``."""

    @pytest.mark.parametrize("content", CONTENTS)
    async def test_every_content_has_a_type(
        self, inspector: Inspector, tmp_path: Path, content: str
    ) -> None:
        file = tmp_path / "file"
        file.write_bytes(CONTENTS[content])
        for name in NAMES:
            for claimed in (None, "image/png", "no type"):
                kind = await inspector.inspect(file, name, claimed)
                assert isinstance(kind, FileKind)
                assert "/" in kind.media_type
                assert (kind.width is None) == (kind.height is None)
                assert kind.width is None or kind.width > 0

    async def test_a_picture_has_its_size(self, inspector: Inspector, tmp_path: Path) -> None:
        file = tmp_path / "file"
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0"
        file.write_bytes(header + b"\x12\x16\xf1\x4d")
        assert await inspector.inspect(file, "unnamed", None) == FileKind("image/png", 3, 2)

    async def test_a_program_does_not_pass_for_a_picture(
        self, inspector: Inspector, tmp_path: Path
    ) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01" + bytes(200))
        kind = await inspector.inspect(file, "cat.png", "image/png")
        assert not kind.media_type.startswith("image/")

    async def test_the_file_stays_as_it_is(self, inspector: Inspector, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(CONTENTS["text"])
        before = file.stat()
        await inspector.inspect(file, "a.txt", None)
        assert file.read_bytes() == CONTENTS["text"]
        assert file.stat().st_mtime_ns == before.st_mtime_ns
