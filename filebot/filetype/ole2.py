"""Documents in OLE2 compound files ([MS-CFB]), told by the streams and storages at their root.

The directory may lie anywhere in the file. Its chain of sectors is followed through the tables for a
bounded number of steps; whatever is broken or missing ends the walk, and what was read so far counts.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from filebot.filetype.reader import BoundedReader
from filebot.model import FileKind

SIGNATURE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE2: Final = "application/x-ole-storage"
"""A compound file of no known kind."""

DIRECTORY_BYTES: Final = 1024 * 1024
"""Bytes read of the directory: 8192 entries."""

_DIFAT_STEPS: Final = 512
_HEADER_ENTRIES: Final = 109
_ENTRY_BYTES: Final = 128
_NONE: Final = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""
_NO_ENTRY: Final = 0xFFFFFFFF

# The first that is at the root counts.
_STREAMS: Final[Mapping[str, str]] = {
    "worddocument": "application/msword",
    "powerpoint document": "application/vnd.ms-powerpoint",
    "pp40": "application/vnd.ms-powerpoint",
    "pp97_dualstorage": "application/vnd.ms-powerpoint",
    "visiodocument": "application/vnd.visio",
    "quill": "application/x-mspublisher",
    "__properties_version1.0": "application/vnd.ms-outlook",
    "encryptedpackage": "application/encrypted",
    "hwpsummaryinformation": "application/x-hwp-v5",
    "\x05hwpsummaryinformation": "application/x-hwp-v5",
    "matost": "application/vnd.ms-works",
    "wksssworkbook": "application/vnd.ms-works",
    "starwriterdocument": "application/vnd.stardivision.writer",
    "starcalcdocument": "application/vnd.stardivision.calc",
    "stardrawdocument3": "application/vnd.stardivision.draw",
    "stardrawdocument": "application/vnd.stardivision.draw",
    "starimpressdocument": "application/vnd.stardivision.impress",
    "starmathdocument": "application/vnd.stardivision.math",
    "starchartdocument": "application/vnd.stardivision.chart",
    "props9": "application/vnd.ms-project",
    "props12": "application/vnd.ms-project",
    "props14": "application/vnd.ms-project",
    "props": "application/vnd.ms-project",
    "nativecontent_main": "application/x-quattro-pro",
    "slideshow": "application/x-corelpresentations",
    "swdoccontentmgr": "application/sldworks",
    "swdocmgrtempstorage": "application/sldworks",
    "iscexceptionstream": "application/x-prt",
    "dgn~h": "image/vnd.dgn;version=8",
    "superblock": "application/x-ms-owner",
    "workbook": "application/vnd.ms-excel",
    "book": "application/vnd.ms-excel",
}

# For what no stream tells apart: StarOffice keeps slides as a drawing, Corel has one stream for all.
_SHARED_STREAMS: Final = frozenset({"stardrawdocument3", "stardrawdocument", "perfectoffice_main"})

# Class identifiers of the root, by their first field.
_CLASSES: Final[Mapping[str, str]] = {
    "00020900": "application/msword",
    "00020906": "application/msword",
    "00020907": "application/msword",
    "00020810": "application/vnd.ms-excel",
    "00020820": "application/vnd.ms-excel",
    "00020d0b": "application/vnd.ms-outlook",
    "00021201": "application/x-mspublisher",
    "00021a14": "application/vnd.visio",
    "00021302": "application/vnd.ms-works",
    "28cddbc2": "application/vnd.ms-works",
    "64818d10": "application/vnd.ms-powerpoint",
    "64818d11": "application/vnd.ms-powerpoint",
    "ea7bae70": "application/vnd.ms-powerpoint",
    "74b78f3a": "application/vnd.ms-project",
    "000c1084": "application/x-msi",
    "000c1086": "application/x-msi",
    "519873ff": "application/x-corelpresentations",
    "56616700": "image/vnd.fpx",
    "56616800": "image/vnd.fpx",
    "0ea45ab2": "application/vnd.ms-works",
    "402efe62": "application/x-corelpresentations",
    "eb626f5c": "application/x-quattro-pro",
    "c20cf9d1": "application/vnd.stardivision.writer",
    "dc5c7e40": "application/vnd.stardivision.writer",
    "8b04e9b0": "application/vnd.stardivision.writer",
    "c20cf9d3": "application/vnd.stardivision.writer",
    "6361d441": "application/vnd.stardivision.calc",
    "3f543fa0": "application/vnd.stardivision.calc",
    "c6a5b861": "application/vnd.stardivision.calc",
    "2e8905a0": "application/vnd.stardivision.draw",
    "012d3cc0": "application/vnd.stardivision.impress",
    "565c7221": "application/vnd.stardivision.impress",
    "af10aae0": "application/vnd.stardivision.draw",
}

# Told by names in the first bytes when a truncated file has no directory.
_IN_HEAD: Final[Mapping[bytes, str]] = {
    "WordDocument".encode("utf-16-le"): "application/msword",
    "PowerPoint Document".encode("utf-16-le"): "application/vnd.ms-powerpoint",
    "VisioDocument".encode("utf-16-le"): "application/vnd.visio",
    "__substg1.0_".encode("utf-16-le"): "application/vnd.ms-outlook",
    "Workbook".encode("utf-16-le"): "application/vnd.ms-excel",
}

# The first stream mostly stands in the first sector.
_FIRST_SECTOR: Final[Mapping[bytes, str]] = {
    b"\xec\xa5\xc1\0": "application/msword",
    b"\x09\x08\x10\0\0\x06": "application/vnd.ms-excel",
    b"\x0f\0\xe8\x03": "application/vnd.ms-powerpoint",
    b"\xa0\x46\x1d\xf0": "application/vnd.ms-powerpoint",
    b"\0\x6e\x1e\xf0": "application/vnd.ms-powerpoint",
}


class _Entry(NamedTuple):
    name: str
    kind: int
    left: int
    right: int
    child: int
    class_id: str


def kind_of(reader: BoundedReader) -> FileKind:
    """Return the kind of a file that begins with the signature."""
    entries = [_entry(raw) for raw in _raw_entries(reader)]
    if not entries or entries[0].kind != 5:  # not even a root
        by_head = next((kind for name, kind in _IN_HEAD.items() if name in reader.head), None)
        by_head = by_head or next(
            (kind for mark, kind in _FIRST_SECTOR.items() if reader.head.startswith(mark, 512)), OLE2
        )
        return FileKind(by_head, has_macros=False)
    root = {entry.name.lower() for entry in _children(entries)}
    names = {entry.name.lower() for entry in entries}
    has_macros = bool(names & {"_vba_project", "_vba_project_cur", "vba"})
    return FileKind(next(_media_types(root, entries[0].class_id), OLE2), has_macros=has_macros)


def _media_types(root: set[str], class_id: str) -> Iterator[str]:
    """Yield what the names at the root and its class say, the surest first."""
    by_class = _CLASSES.get(class_id)
    if {"fileheader", "docinfo"} <= root:
        yield "application/x-hwp-v5"
    if any(name.startswith("__substg1.0_") for name in root):
        yield "application/vnd.ms-outlook"
    if by_class is not None and root & _SHARED_STREAMS:
        yield by_class
    yield from (media_type for name, media_type in _STREAMS.items() if name in root)
    if by_class is not None:
        yield by_class
    if "perfectoffice_main" in root:
        yield "application/vnd.wordperfect"
    # Names of tables in an installer are packed into characters of this block.
    if any("\u3800" <= name[:1] <= "\u4840" for name in root):
        yield "application/x-msi"
    if any(name.startswith(("swxmlcontents", "thirdpty")) for name in root):
        yield "application/sldworks"


def _entry(raw: bytes) -> _Entry:
    length = min(struct.unpack_from("<H", raw, 64)[0], 64)
    name = raw[: max(0, length - 2)].decode("utf-16-le", "replace")
    left, right, child = struct.unpack_from("<III", raw, 68)
    class_id = raw[80:84][::-1].hex()
    return _Entry(name, raw[66], left, right, child, class_id)


def _children(entries: list[_Entry]) -> Iterator[_Entry]:
    """Yield the entries at the root; each once, however the tree is tied."""
    seen: set[int] = set()
    waiting = [entries[0].child]
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        yield entry
        waiting += [entry.left, entry.right]


def _raw_entries(reader: BoundedReader) -> Iterator[bytes]:
    tables = _Tables.of(reader)
    if tables is None:
        return
    for sector in tables.directory():
        for at in range(0, len(sector) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            yield sector[at : at + _ENTRY_BYTES]


class _Tables:
    """The allocation tables of a compound file, of which only the sectors that are needed are read."""

    def __init__(self, reader: BoundedReader, sector_bytes: int) -> None:
        self._reader = reader
        self._sector_bytes = sector_bytes
        self._per_sector = sector_bytes // 4
        self._first_directory, self._difat_start = struct.unpack_from("<I16xI", reader.head, 48)
        self._in_header = struct.unpack_from(f"<{_HEADER_ENTRIES}I", reader.head, 76)
        self._cache: dict[int, bytes] = {}

    @classmethod
    def of(cls, reader: BoundedReader) -> "_Tables | None":
        if len(reader.head) < 512:
            return None
        shift = struct.unpack_from("<H", reader.head, 30)[0]
        return cls(reader, 1 << shift) if shift in {9, 12} else None

    def directory(self) -> Iterator[bytes]:
        sector, seen = self._first_directory, set[int]()
        for _ in range(DIRECTORY_BYTES // self._sector_bytes):
            if sector >= _NONE or sector in seen:
                return
            seen.add(sector)
            content = self._sector(sector)
            yield content
            if len(content) < self._sector_bytes:
                return
            sector = self._next(sector)

    def _next(self, sector: int) -> int:
        """Return the sector that follows in a chain."""
        index, place = divmod(sector, self._per_sector)
        table = self._table(index)
        return self._number(self._cached(table), place) if table < _NONE else _NO_ENTRY

    def _table(self, index: int) -> int:
        """Return the sector of a part of the allocation table."""
        if index < _HEADER_ENTRIES:
            return int(self._in_header[index])
        steps, place = divmod(index - _HEADER_ENTRIES, self._per_sector - 1)
        if steps >= _DIFAT_STEPS:
            return _NO_ENTRY
        sector = self._difat_start
        for _ in range(steps):
            if sector >= _NONE:
                return _NO_ENTRY
            sector = self._number(self._cached(sector), self._per_sector - 1)
        return self._number(self._cached(sector), place) if sector < _NONE else _NO_ENTRY

    def _number(self, content: bytes, place: int) -> int:
        if len(content) < 4 * place + 4:
            return _NO_ENTRY
        return int(struct.unpack_from("<I", content, 4 * place)[0])

    def _cached(self, sector: int) -> bytes:
        if sector not in self._cache:
            self._cache[sector] = self._sector(sector)
        return self._cache[sector]

    def _sector(self, sector: int) -> bytes:
        return self._reader.part((sector + 1) * self._sector_bytes, self._sector_bytes)
