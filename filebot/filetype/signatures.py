"""Formats told by fixed bytes that libmagic, or some version of it, does not know or names otherwise."""

from collections.abc import Iterator, Mapping
from typing import Final

from filebot.filetype.reader import BoundedReader

# By their first four bytes, then the longest that fits.
_AT_START: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\0asm", "application/wasm"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"ARROW1\0\0", "application/vnd.apache.arrow.file"),
    (b"Obj\x01", "application/avro"),
    (b"\xabKTX 11\xbb\r\n\x1a\n", "image/ktx"),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "image/ktx2"),
    (b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5\xbd\x31\xef\xe7\xfe\x74\xb7\x1d", "application/x-indesign"),
    (b"\0\x05\x16\0\0\x02\0\0", "application/applefile"),
    (b"\0\x05\x16\x07\0\x02\0\0", "application/applefile"),
    (b"\xff\xd8\xff\xf7", "image/jls"),
    (b"\x01\xda\x00", "image/x-rgb"),
    (b"\x01\xda\x01", "image/x-rgb"),
    (b"\x01fcp", "application/x-font-pcf"),
    (b"wvpk", "audio/wavpack"),
    (b"Extended Module: ", "audio/x-xm"),
    (b"IMPM", "audio/x-it"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "application/onenote"),
    (b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", "application/onenote"),
    (b"Kaydara FBX Binary  \0", "application/x-fbx"),
    (b"DRACO\x01", "application/x-draco"),
    (b"DRACO\x02", "application/x-draco"),
    (b"book\0\0\0\0mark\0\0\0\0", "application/x-apple-alias"),
    (b"ASTM-E57", "model/e57"),
    (b"EHFA_HEADER_TAG\0", "application/x-erdas-hfa"),
    (b"$FL2@(#)", "application/x-spss-sav"),
    (b"$FL3@(#)", "application/x-spss-sav"),
    (b"\xff\xff\0\0\x07\0\0\0\x04\0\0\0\x01\0\x01\0", "application/x-jmp-data"),
    (b"\xff\xff\0\0\x07\0\0\0\x04\0\0\0\x01\0\x00\0", "application/x-jmp-data"),
    (b"\xc0\xb9\x07\x2e\x4f\x93\xf1\x46\xa0\x15\x79\x2c\xa1\xd9\xe8\x21", "application/x-axcrypt"),
    (b"\x97JB2\r\n\x1a\n", "image/x-jbig2"),
    (b"(DWF V", "model/vnd.dwf"),
    (b"%FDF-", "application/vnd.fdf"),
    (b"regf", "application/x-windows-registry-hive"),
    (b"BPG\xfb", "image/bpg"),
    (b"FUJIFILMCCD-RAW ", "image/x-fuji-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"icns", "image/icns"),
    (b"\xd7\xcd\xc6\x9a\0\0", "image/wmf"),
    (b"\xff\x0a", "image/jxl"),
    (b"<stata_dta><header>", "application/x-stata-dta"),
    (b"HEADER RECORD*******LIB", "application/x-sas-xport"),
    (b"Creative Voice File\x1a", "audio/x-voc"),
    (b"OTTO\0", "font/otf"),
    (b"ttcf\0", "font/collection"),
    (b"\0\1\0\0\0", "font/ttf"),
    (b"true\0", "font/ttf"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"glTF\x02\0\0\0", "model/gltf-binary"),
    (b"qoif", "image/qoi"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"\xff\x4f\xff\x51\0", "image/x-jp2-codestream"),
    (b"!BDN", "application/vnd.ms-outlook-pst"),
    (b"\0\0\x02\0\x06\x04\x06\0", "application/vnd.lotus-1-2-3"),
    (b"\0\0\x02\0\x20\x51", "application/x-quattro-pro"),
    (b"\0\0\x02\0\x21\x51", "application/x-quattro-pro"),
    (b"\0\0\x02\0\x01\x10", "application/x-quattro-pro"),
    (b"\0\0\x02\0\x02\x10", "application/x-quattro-pro"),
    (b"\x1bLua", "application/x-lua-bytecode"),
    (b"dex\n03", "application/vnd.android.dex"),
    (b"Cr24", "application/x-chrome-extension"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"\x0aFLV", "video/x-flv"),
    (b"FLV\x01", "video/x-flv"),
    (b".RMF\0\0\0", "application/vnd.rn-realmedia"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"LZIP\x01", "application/lzip"),
    (b"CWS", "application/vnd.adobe.flash.movie"),
    (b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (b"8BPS\0\x02", "image/vnd.adobe.photoshop"),
    (b"\xfe\xfe\x07\x01", "application/x-mysql-misam-compressed-index"),
    (b"\x31\xbe\0\0", "application/x-mswrite"),
    (b"\x32\xbe\0\0", "application/x-mswrite"),
    (b"{\\rtf", "application/rtf"),
    (b"ITSF", "application/vnd.ms-htmlhelp"),
    (b"ITOLITLS", "application/x-ms-reader"),
    (b"bplist0", "application/x-bplist"),
)
_INDEX: Final[Mapping[bytes, list[tuple[bytes, str]]]] = {
    start: sorted(
        ((mark, kind) for mark, kind in _AT_START if mark[:2] == start),
        key=lambda pair: -len(pair[0]),
    )
    for start in {mark[:2] for mark, _ in _AT_START}
}

_ELSEWHERE: Final[tuple[tuple[int, bytes, str], ...]] = (
    (12, bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011"), "application/x-sas-data"),
    (32, bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011"), "application/x-sas-data"),
    (44, b"SCRM", "audio/x-s3m"),
    (40, b" EMF", "image/emf"),
    (60, b"BOOKMOBI", "application/x-mobipocket-ebook"),
    (128, b"DICM", "application/dicom"),
    (257, b"ustar", "application/x-tar"),
    (522, b"\x11\x02\xff\x0c", "image/x-pict"),
    (522, b"\x00\x11\x02\xff", "image/x-pict"),
)
_DMG_TRAILER: Final = 512
_RIFF: Final[Mapping[bytes, str]] = {
    b"WEBP": "image/webp",
    b"WAVE": "audio/wav",
    b"AVI ": "video/vnd.avi",
    b"QLCM": "audio/qcelp",
    b"ACON": "application/x-navi-animation",
    b"RMID": "audio/midi",
}
_ADTS: Final = (b"\xf0", b"\xf1", b"\xf8", b"\xf9")
_FLIC: Final[Mapping[bytes, str]] = {b"\x11\xaf": "video/x-fli", b"\x12\xaf": "video/x-flc"}
_SHAPE: Final = b"\0\0\x27\x0a" + bytes(20)


def signature_type(reader: BoundedReader) -> str | None:
    """Return the media type of a file with a known signature, else None."""
    head = reader.head
    for mark, kind in _INDEX.get(head[:2], ()):
        if head.startswith(mark):
            return _finer(head, kind)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    for offset, mark, kind in _ELSEWHERE:
        if head.startswith(mark, offset):
            return kind
    return next(_structured(reader), None)


def _finer(head: bytes, kind: str) -> str:
    if kind == "application/x-bplist" and b"WebMainResource" in head:
        return "application/x-webarchive"
    return kind


def _structured(reader: BoundedReader) -> Iterator[str]:
    """Yield what can be told by more than one mark."""
    head, size = reader.head, reader.size
    if head[4:6] in _FLIC and head[12:14] == b"\x08\0":
        yield _FLIC[head[4:6]]
    if head.startswith(_SHAPE):
        yield "application/vnd.shp"
    if size >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little"):
        yield "model/stl"
    if head[:2] in {b"~\x10", b"~\x18"} and head[2:3] in {b"\x04", b"\x08"}:
        yield "application/x-mie"
    if head.startswith(b"\x04\0\0\0") and head[16:17] == b"{" and b'"files"' in head[16:64]:
        yield "application/x-asar"
    if reader.part(size - _DMG_TRAILER, 4) == b"koly":
        yield "application/x-apple-diskimage"
    at = head.find(b"%PDF-", 0, 1024)
    if at > 0 and not head[:at].strip(b"\0 \t\r\n\xef\xbb\xbf"):
        yield "application/pdf"
    if head.startswith(b"ID3"):
        yield _behind_id3(reader)


def _behind_id3(reader: BoundedReader) -> str:
    """Tell what follows an ID3v2 tag: FLAC may have one too."""
    length = 0
    for byte in reader.head[6:10]:
        length = length << 7 | byte & 0x7F
    start = reader.part(10 + length, 4)
    if start == b"fLaC":
        return "audio/flac"
    # ADTS has layer 0 where MPEG audio has 1 to 3.
    return "audio/aac" if start[:1] == b"\xff" and start[1:2] in _ADTS else "audio/mpeg"
