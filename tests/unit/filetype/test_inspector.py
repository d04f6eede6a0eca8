"""Media types of generated samples, detected by the real libmagic."""

import io
import os
import struct
import time
import zipfile
import zlib
from pathlib import Path

import magic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.errors import StorageError
from filebot.filetype.inspector import LibmagicInspector
from filebot.model import FileKind

OOXML = "application/vnd.openxmlformats-officedocument."
TYPES = "[Content_Types].xml"
ODF = "application/vnd.oasis.opendocument."
PROGRAM = Path("/bin/true").resolve().read_bytes()


@pytest.fixture(scope="module")
def inspector() -> LibmagicInspector:
    return LibmagicInspector()


def zipped(*names: str, mimetype: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if mimetype is not None:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "<x/>" * 10)
    return out.getvalue()


def svg(width: str, height: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"/>'.encode()


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, *, orientation: int | None = None) -> bytes:
    exif = b""
    if orientation is not None:
        tiff = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
        body = b"Exif\0\0" + tiff
        exif = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    start = b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + exif + start + b"\xff\xd9"


async def kind(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes, name: str = "x", claimed: str | None = None
) -> FileKind:
    file = tmp_path / "file"
    file.write_bytes(data)
    return await inspector.inspect(file, name, claimed)


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (b"%PDF-1.4\n", "x.txt", "application/pdf"),
        (b"plain prose\n", "x", "text/plain"),
        (b"# title\n\n* point\n", "x.md", "text/markdown"),
        (b"a list; of\nthings; here\n", "x.CSV", "text/csv"),
        (b'{"a": 1}', "x", "application/json"),
        (b'{"a": ' + b"1" * 100_000 + b"}", "x.json", "application/json"),
        (b"key: value\n", "x.yaml", "application/yaml"),
        (b"prose", "x.html", "text/plain"),
        (b"prose", "x.svg", "text/plain"),
        (b"prose", "x.png", "text/plain"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "x.md", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "x", "image/svg+xml"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(20), "x", "audio/wav"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom", "x", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", "x", "video/matroska"),
        (b"fLaC\0\0\0\x22" + bytes(34), "x", "audio/flac"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3" + bytes(10), "x.tar.gz", "application/gzip"),
        (b"Rar!\x1a\7\1\0", "x", "application/vnd.rar"),
        (b"\x93\xfa\x01\x88" * 20, "x", "application/octet-stream"),
        (b"\x93\xfa\x01\x88" * 20, "x.png", "application/octet-stream"),
        (b"\x93\xfa\x01\x88" * 20, "x.ttf", "font/ttf"),
        (b"", "x", "application/octet-stream"),
        (zipped("a.txt"), "x.zip", "application/zip"),
        (zipped("a.txt"), "x.docx", "application/zip"),
        (zipped("a.png"), "x.cbz", "application/vnd.comicbook+zip"),
        (zipped("doc.kml"), "x", "application/vnd.google-earth.kmz"),
        (zipped(TYPES, "_rels/.rels", "word/document2.xml"), "x", OOXML + "wordprocessingml.document"),
        (zipped("a", "b", "xl/workbook.xml", TYPES), "x", OOXML + "spreadsheetml.sheet"),
        (zipped("a", "b", "ppt/presentation.xml", TYPES), "x", OOXML + "presentationml.presentation"),
        (zipped("content.xml", mimetype=ODF + "text"), "x", ODF + "text"),
        (zipped("content.xml", mimetype=ODF + "spreadsheet"), "x", ODF + "spreadsheet"),
        (zipped("content.xml", mimetype=ODF + "presentation"), "x", ODF + "presentation"),
        (zipped("content.xml", "mimetype"), "x.odt", ODF + "text"),
        (zipped("META-INF/container.xml", mimetype="application/epub+zip"), "x", "application/epub+zip"),
        (zipped("x", "mimetype", "META-INF/container.xml"), "x", "application/epub+zip"),
        (zipped("META-INF/MANIFEST.MF", "a.class"), "x.zip", "application/java-archive"),
        (
            zipped("META-INF/MANIFEST.MF", "classes.dex", "AndroidManifest.xml"),
            "x",
            "application/vnd.android.package-archive",
        ),
    ],
)
async def test_the_type_is_that_of_the_content(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes, name: str, media_type: str
) -> None:
    assert await kind(inspector, tmp_path, data, name) == FileKind(media_type)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.md", "x.mp3", "x.svg"])
async def test_a_program_stays_a_program(inspector: LibmagicInspector, tmp_path: Path, name: str) -> None:
    for program in (
        PROGRAM,
        b"#!/bin/sh\necho\n",
        b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0",
    ):
        found = await kind(inspector, tmp_path, program, name, "image/png")
        assert found.media_type.startswith(("application/", "text/x-"))


@pytest.mark.parametrize(
    ("claimed", "media_type"),
    [
        ("text/markdown; charset=utf-8", "text/markdown"),
        ("TEXT/X-Markdown", "text/markdown"),
        ("text/html", "text/plain"),
        ("image/png", "text/plain"),
        ("nonsense", "text/plain"),
        ("", "text/plain"),
    ],
)
async def test_a_claim_only_helps_where_the_content_is_vague(
    inspector: LibmagicInspector, tmp_path: Path, claimed: str, media_type: str
) -> None:
    assert (await kind(inspector, tmp_path, b"prose", "x", claimed)).media_type == media_type
    assert (await kind(inspector, tmp_path, b"%PDF-1.4\n", "x", claimed)).media_type == "application/pdf"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(640, 480), FileKind("image/png", 640, 480)),
        (png(0, 480), FileKind("image/png")),
        (png(2**31 - 1, 480), FileKind("image/png")),
        (jpeg(640, 480), FileKind("image/jpeg", 640, 480)),
        (jpeg(640, 480, orientation=6), FileKind("image/jpeg", 480, 640)),
        (b"GIF89a\x40\1\xc8\0\0\0\0;", FileKind("image/gif", 320, 200)),
        (b"GIF89a", FileKind("image/gif")),
        (svg("10.2", "2in"), FileKind("image/svg+xml", 11, 192)),
        (svg("100%", "1"), FileKind("image/svg+xml")),
        (svg("9" * 500, "1"), FileKind("image/svg+xml")),
    ],
)
async def test_pictures_have_a_size_if_it_makes_sense(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes, expected: FileKind
) -> None:
    assert await kind(inspector, tmp_path, data) == expected


def hostile_heic() -> bytes:
    """Boxes without end, and one that claims to be a location table of 200 MB."""
    start = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"
    meta = struct.pack(">I4sI", 200_000_012, b"meta", 0) + struct.pack(">I4s", 200_000_000, b"iloc")
    return start + b"\0\0\0\x08free" * 100_000 + meta


async def test_hostile_files_cost_little(inspector: LibmagicInspector, tmp_path: Path) -> None:
    names = io.BytesIO()
    with zipfile.ZipFile(names, "w") as archive:
        for number in range(30_000):
            archive.writestr(zipfile.ZipInfo(f"{number:0200}"), b"")
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.write(hostile_heic())
        file.truncate(1 << 30)
    samples = [
        heif_of_many_extents(),
        names.getvalue(),
        b"PK\x03\x04" + bytes(100) + b"PK\x05\x06" + b"\xff" * 18,
        b"PK\x05\x06" * 10_000,
        b"P5 " + b"9" * 500_000,
        b"II*\0\x08\0\0\0\xff\xff" + os.urandom(500_000),
    ]
    started = time.process_time()
    for data in samples:
        assert (await kind(inspector, tmp_path, data)).width is None
    assert (await inspector.inspect(sparse, "x.heic", None)).width is None
    assert time.process_time() - started < 1


def heif_of_many_extents() -> bytes:
    """A picture without a size whose items claim 65,535 extents each, of no bytes."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    items = b"".join(struct.pack(">HHH", number, 0, 65535) for number in range(60))
    iloc = struct.pack(">IHH", 0, 0, 60) + items
    info = struct.pack(">IH", 0, 1) + box(b"infe", b"\2\0\0\0\0\1\0\0av01\0")
    parts = {
        b"hdlr": bytes(8) + b"pict" + bytes(13),
        b"pitm": b"\0\0\0\0\0\1",
        b"iinf": info,
        b"iloc": iloc,
    }
    meta = bytes(4) + b"".join(box(kind, content) for kind, content in parts.items())
    return box(b"ftyp", b"avif\0\0\0\0avifmif1") + box(b"meta", meta)


PIECES = [b"", png(3, 4), jpeg(3, 4, orientation=6), zipped("a"), b"PK\x05\x06", hostile_heic()[:99]]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(PIECES),
    st.integers(0, 200),
    st.binary(max_size=100),
)
async def test_nothing_that_is_in_a_file_raises(
    inspector: LibmagicInspector, tmp_path: Path, sample: bytes, cut: int, tail: bytes
) -> None:
    found = await kind(inspector, tmp_path, sample[:cut] + tail)
    assert "/" in found.media_type


async def test_a_libmagic_that_fails_says_nothing(
    inspector: LibmagicInspector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: magic.Magic, data: bytes) -> str:
        raise magic.MagicException("regex error")

    monkeypatch.setattr(magic.Magic, "from_buffer", fails)
    assert await kind(inspector, tmp_path, png(1, 1), "x.png") == FileKind("application/octet-stream")


async def test_a_file_that_is_not_there_is_our_own_trouble(
    inspector: LibmagicInspector, tmp_path: Path
) -> None:
    with pytest.raises(StorageError):
        await inspector.inspect(tmp_path / "missing", "x", None)
