"""Real files for the demo: a PDF, a PNG picture and a text, made on the spot."""

import os
import struct
import zlib
from pathlib import Path


def write_samples(folder: Path) -> list[Path]:
    """Write the files into ``folder`` and return their paths: the PDF, the picture, the text."""
    samples = {
        "Annual report.pdf": _pdf(),
        "beach.png": _png(640, 400),
        "notes.md": b"# Notes\n\n* Bring the charger.\n* Ask Bob for the slides.\n",
    }
    paths = []
    for name, content in samples.items():
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths


def _pdf() -> bytes:
    """A page of one line, and a large attachment-like stream (ISO 32000-1, 7.5)."""
    text = b"BT /F1 24 Tf 72 720 Td (Annual report) Tj ET"
    padding = os.urandom(1_200_000)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(padding), padding),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _png(width: int, height: int) -> bytes:
    """Sky over sand over sea (RFC 2083)."""
    rows = bytearray()
    for y in range(height):
        color = (
            (120, 180, 255)
            if y < height // 2
            else (40, 90, 200)
            if y < height * 3 // 4
            else (230, 200, 140)
        )
        rows += b"\0" + bytes(color) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
