"""Small files of many kinds, built by the rules of their formats."""

import io
import struct
import zipfile
from collections.abc import Mapping

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR = 512


def compound(*names: str, filler: int = 200, class_id: str = "", storages: tuple[str, ...] = ()) -> bytes:
    """An OLE2 file of these streams whose directory is behind ``filler`` sectors, at its end."""
    entries = [_entry("Root Entry", 5, child=1, class_id=class_id)]
    kinds = [(name, 2) for name in names] + [(name, 1) for name in storages]
    for number, (name, kind) in enumerate(kinds, 1):
        entries.append(_entry(name, kind, right=number + 1 if number < len(kinds) else FREE))
    directory = b"".join(entries)
    directory += bytes(-len(directory) % SECTOR)
    length = len(directory) // SECTOR
    tables = 1
    while tables * SECTOR // 4 < filler + tables + length:
        tables += 1
    first = filler + tables
    fat = [*range(1, filler), END] if filler else []
    fat += [FAT] * tables + [*range(first + 1, first + length), END]
    fat += [FREE] * (tables * SECTOR // 4 - len(fat))
    difat = [*range(filler, filler + tables)]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    head += bytes(10) + struct.pack("<IIIIIIIII", tables, first, 0, 4096, END, 0, END, 0, 0)[:36]
    head += struct.pack("<109I", *(difat + [FREE] * (109 - len(difat))))
    table = struct.pack(f"<{len(fat)}I", *fat)
    return head[:SECTOR].ljust(SECTOR, b"\0") + bytes(filler * SECTOR) + table + directory


def _entry(name: str, kind: int, *, right: int = FREE, child: int = FREE, class_id: str = "") -> bytes:
    raw = (name + "\0").encode("utf-16-le")
    first = bytes.fromhex(class_id)[::-1] if class_id else bytes(4)
    head = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, FREE, right, child)
    return (head + first + bytes(12)).ljust(128, b"\0")


def zipped(
    members: Mapping[str, str | bytes], *, before: bytes = b"", method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A ZIP of these members behind some bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            # Without the time of now, which would be part of names of tests.
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return before + out.getvalue()


def package(content_type: str, *names: str) -> bytes:
    """An Office Open XML package whose main part is of this type."""
    types = f'<Types><Override PartName="/main.xml" ContentType="{content_type}"/></Types>'
    return zipped({"[Content_Types].xml": types, "_rels/.rels": "<x/>", **dict.fromkeys(names, "<x/>")})


def brands(*names: str) -> bytes:
    """The first box of a file of the ISO base media family."""
    body = names[0].encode() + bytes(4) + "".join(names[1:]).encode()
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + bytes(64)


def ogg(start: bytes) -> bytes:
    """A first page of Ogg that carries these bytes."""
    return b"OggS\0\2" + bytes(20) + bytes([1, len(start)]) + start + bytes(64)


def tiff(make: bytes, *tags: int) -> bytes:
    """A little-endian TIFF with a maker and these other tags."""
    entries = [(271, 2, len(make), 512), *((tag, 4, 1, 600) for tag in tags)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0\x08\0\0\0" + body).ljust(512, b"\0") + make + bytes(200)
