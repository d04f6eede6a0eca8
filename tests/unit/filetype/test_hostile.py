"""Files that lie: cut, changed, tied in loops or without end. Time, memory and bytes read are bounded."""

import io
import os
import struct
import time
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.filetype.inspector import LibmagicInspector
from filebot.filetype.reader import BUDGET_BYTES, BoundedReader
from tests.unit.filetype.recipes import FREE, SECTOR, brands, compound, ogg, package, tiff, zipped

DER: Final = bytes.fromhex("3082010006092a864886f70d010702a081") + bytes(243)
SAMPLES: Final = [
    compound("WordDocument", filler=3),
    package("application/vnd.ms-word.document.macroEnabled.main+xml", "word/vbaProject.bin"),
    zipped({"index.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}),
    brands("mif1", "heic", "avif"),
    b"\0\0\0\x08free" * 9 + b"\0\0\0\x09moov",
    ogg(b"\x80theora"),
    tiff(b"NIKON", 330, 50706),
    DER,
    b"From a Mon Jun  1 10:00:00 2009\nSubject: b\nTo: c\n\nx\n",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><!-- d --><e:f xmlns:e='g'/>",
    "BEGIN:VCALENDAR\r\nVERSION:1.0\r\n".encode("utf-16-le"),
    b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm",
    b"ID3\4\0\0\x7f\x7f\x7f\x7f",
    b"MZ" + bytes(58) + b"\x80\0\0\0",
]

# Texts over which a careless pattern runs for hours.
ENDLESS: Final = [
    "/* a */ b */ " * 5000,
    "\n" * 65_000,
    " " * 65_000 + "x",
    "let a:" + " " * 65_000,
    "a{b:" * 16_000,
    "<!--" * 16_000,
    "<!DOCTYPE a [" + "] " * 32_000,
    "<a " + "b='c' " * 10_000,
    "999\n" * 16_000,
    "P1 " + "# \n" * 20_000,
    "(" * 65_000,
    "From " + "a " * 32_000,
    "a: b\n" * 13_000,
    "BEGIN:VCALENDAR" + "\n" * 65_000,
    "digraph " + "a" * 65_000,
    "type a<" * 9_000,
    "#include\n" * 7_000,
    "interface a" + " b" * 32_000,
    "<?a?>" * 13_000,
    "%!PS-Adobe" + "%%Creator" * 7_000,
]


@pytest.fixture(scope="module")
def inspector() -> LibmagicInspector:
    return LibmagicInspector()


def examined(inspector: LibmagicInspector, tmp_path: Path, data: bytes, name: str = "x") -> str:
    file = tmp_path / "file"
    file.write_bytes(data)
    return inspector.examine(file, name, None).media_type


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.integers(0, 3000),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
)
def test_what_is_cut_or_changed_has_a_type_too(
    inspector: LibmagicInspector, tmp_path: Path, sample: bytes, cut: int, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(sample[: len(sample) - cut] or sample)
    for at, byte in flips:
        data[at % len(data)] = byte
    assert "/" in examined(inspector, tmp_path, bytes(data))


@pytest.mark.parametrize("text", ENDLESS, ids=range(len(ENDLESS)))
@pytest.mark.parametrize("ending", ["", ".m", ".ts"])
def test_no_pattern_runs_for_long(
    inspector: LibmagicInspector, tmp_path: Path, text: str, ending: str
) -> None:
    started = time.process_time()
    examined(inspector, tmp_path, text.encode(), "x" + ending)
    assert time.process_time() - started < 1


def test_loops_in_the_tables_of_a_compound_file_end(inspector: LibmagicInspector, tmp_path: Path) -> None:
    sample = bytearray(compound("WordDocument", filler=3))
    directory = struct.unpack_from("<I", sample, 48)[0]
    struct.pack_into("<I", sample, SECTOR * 4 + 4 * directory, directory)  # the chain leads to itself
    entry = SECTOR * (directory + 1) + 128
    struct.pack_into("<II", sample, entry + 68, 1, 1)  # so do the entries
    assert examined(inspector, tmp_path, bytes(sample)) == "application/msword"
    struct.pack_into("<I", sample, 68, 0)  # and the table of tables
    struct.pack_into("<109I", sample, 76, *[FREE] * 109)
    assert examined(inspector, tmp_path, bytes(sample)) == "application/msword"


def test_a_directory_of_a_million_members_costs_little(
    inspector: LibmagicInspector, tmp_path: Path
) -> None:
    one = b"PK\1\2" + bytes(24) + struct.pack("<HHH", 1, 0, 0) + bytes(12) + b"a"
    directory = one * 1_000_000
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, len(directory), 4, 0)
    data = b"PK\3\4" + directory + end
    started = time.process_time()
    assert examined(inspector, tmp_path, data) == "application/zip"
    assert time.process_time() - started < 1


def test_a_member_that_unpacks_to_gigabytes_is_unpacked_to_its_limit(
    inspector: LibmagicInspector, tmp_path: Path
) -> None:
    data = zipped({"[Content_Types].xml": bytes(64 * 1024 * 1024), "_rels/.rels": "x"})
    started = time.process_time()
    assert examined(inspector, tmp_path, data) == "application/zip"
    assert time.process_time() - started < 1


class _Counted(io.BytesIO):
    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        taken = super().read(size)
        self.taken += len(taken)
        return taken


def test_no_more_than_the_budget_is_read() -> None:
    file = _Counted(os.urandom(2 * BUDGET_BYTES))
    reader = BoundedReader(file)
    for at in range(0, reader.size, 100_000):
        reader.at(at, 100_000)
    assert file.taken == BUDGET_BYTES
    assert reader.at(0, 1) == b""
    assert BUDGET_BYTES + 1024 * 1024 <= 4 * 1024 * 1024  # with the size of a picture
