"""Files by recipe, one for each kind that libmagic alone does not tell or tells wrongly."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from filebot.filetype.inspector import LibmagicInspector
from filebot.model import FileKind
from tests.unit.filetype.recipes import brands, compound, ogg, package, tiff, zipped

OOXML = "application/vnd.openxmlformats-officedocument."
MAIN = ".main+xml"
WORD = "application/vnd.ms-word.document.macroEnabled"
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='3' height='2'/>"
CSS = "body { color: red; }\n.a > p { margin: 0 }\n"
TYPESCRIPT = (
    "import { A } from './a';\nexport interface B { c: string; }\nconst d: number = 1;\n"
    "function e(f: string): void {}\n"
)
MAIL = (
    "Received: from a by b; Mon, 1 Jun 2009 10:00:00 +0000\nFrom: a@example.org\nTo: b@example.org\n"
    "Subject: c\n"
)
HTML_MAIL = MAIL + "Content-Type: text/html\n\n<html><body><p>words</p></body></html>\n"
MBOX = "From a@example.org Mon Jun  1 10:00:00 2009\n" + HTML_MAIL
XML = '<?xml version="1.0"?>\n'
JAR: Mapping[str, str | bytes] = {
    "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n",
    "a.class": b"\xca\xfe\xba\xbe",
}


@pytest.fixture(scope="module")
def inspector() -> LibmagicInspector:
    return LibmagicInspector()


def found(inspector: LibmagicInspector, tmp_path: Path, data: bytes | str, name: str = "") -> str:
    file = tmp_path / "file"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return inspector.examine(file, name, None).media_type


@pytest.mark.parametrize(
    ("stream", "media_type"),
    [
        ("WordDocument", "application/msword"),
        ("Workbook", "application/vnd.ms-excel"),
        ("Book", "application/vnd.ms-excel"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint"),
        ("__properties_version1.0", "application/vnd.ms-outlook"),
        ("VisioDocument", "application/vnd.visio"),
        ("Quill", "application/x-mspublisher"),
        ("something", "application/x-ole-storage"),
    ],
)
@pytest.mark.parametrize("filler", [0, 200, 20_000])
def test_a_compound_document_is_told_by_its_streams_wherever_its_directory_is(
    inspector: LibmagicInspector, tmp_path: Path, stream: str, media_type: str, filler: int
) -> None:
    data = compound("\x05SummaryInformation", stream, "\x01CompObj", filler=min(filler, 109 * 128 - 200))
    assert found(inspector, tmp_path, data) == media_type


def test_a_compound_document_without_known_streams_is_told_by_its_class(
    inspector: LibmagicInspector, tmp_path: Path
) -> None:
    assert found(inspector, tmp_path, compound("x", class_id="000c1084")) == "application/x-msi"


@pytest.mark.parametrize("storage", ["_VBA_PROJECT_CUR", "VBA", "_VBA_PROJECT"])
def test_macros_of_a_compound_document_are_told(
    inspector: LibmagicInspector, tmp_path: Path, storage: str
) -> None:
    file = tmp_path / "file"
    for storages in ((storage,), ()):
        file.write_bytes(compound("Workbook", storages=storages))
        kind = inspector.examine(file, "a.xls", None)
        assert kind == FileKind("application/vnd.ms-excel", has_macros=bool(storages))


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (package(OOXML + "wordprocessingml.document" + MAIN), OOXML + "wordprocessingml.document"),
        (package(OOXML + "wordprocessingml.template" + MAIN), OOXML + "wordprocessingml.template"),
        (package(OOXML + "presentationml.slideshow" + MAIN), OOXML + "presentationml.slideshow"),
        (package(WORD + MAIN), WORD + ".12"),
        (package(OOXML + "wordprocessingml.document" + MAIN, "word/vbaProject.bin"), WORD + ".12"),
        (
            package("application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xl/workbook.bin"),
            "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        ),
        (package("application/vnd.ms-visio.drawing.main+xml"), "application/vnd.ms-visio.drawing"),
        (
            package("application/vnd.ms-package.xps-fixeddocumentsequence+xml"),
            "application/vnd.ms-xpsdocument",
        ),
        (package("application/vnd.ms-package.3dmanufacturing-3dmodel+xml"), "model/3mf"),
        (
            zipped({"mimetype": "application/vnd.oasis.opendocument.text"}),
            "application/vnd.oasis.opendocument.text",
        ),
        (zipped({"mimetype": "application/epub+zip"}), "application/epub+zip"),
        (zipped({"mimetype": "text/html", "index.html": "<html/>"}), "application/zip"),
        (zipped(JAR), "application/java-archive"),
        (
            zipped({**JAR, "AndroidManifest.xml": b"\3", "classes.dex": b"dex"}),
            "application/vnd.android.package-archive",
        ),
        (zipped({"META-INF/mozilla.rsa": "x", "manifest.json": "{}"}), "application/x-xpinstall"),
        (zipped({"index.apxl": "<x/>"}), "application/vnd.apple.keynote"),
        (
            zipped({"index.xml": "<sl:document xmlns:sl='http://developer.apple.com/namespaces/sl'/>"}),
            "application/vnd.apple.pages",
        ),
        (
            zipped({"index.xml": "<ls:document xmlns:ls='http://developer.apple.com/namespaces/ls'/>"}),
            "application/vnd.apple.numbers",
        ),
        (
            zipped({"Index/Document.iwa": "x", "Index/MasterSlide-1.iwa": "x"}),
            "application/vnd.apple.keynote",
        ),
        (
            zipped(
                {"Index/Document.iwa": b"\0\1\0\0\1\1\x08\1\x12\1\x08\x90\x4e", "Index/Tables/a.iwa": "x"}
            ),
            "application/vnd.apple.pages",
        ),
        (zipped({"Index/Document.iwa": b"x", "Index/Tables/a.iwa": "x"}), "application/vnd.apple.numbers"),
        (b"PK\x07\x08" + zipped({"a.txt": "x"}), "application/zip"),
        (zipped({"a.txt": "x"})[:40], "application/zip"),
        (b"PK\x05\x06" + bytes(18), "application/zip"),
        (bytes(range(256)) * 9 + zipped({"a.txt": "x"}), "application/zip"),
        (
            b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3" + bytes(99),
            "application/onenote",
        ),
    ],
)
def test_a_zip_is_told_by_its_members(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes, media_type: str
) -> None:
    assert found(inspector, tmp_path, data) == media_type


def test_a_zip_within_another_file_does_not_make_a_document_of_it(
    inspector: LibmagicInspector, tmp_path: Path
) -> None:
    docx = package(OOXML + "wordprocessingml.document" + MAIN, "word/document.xml")
    outer = zipped({"inner.docx": docx}, method=0)
    assert found(inspector, tmp_path, outer) == "application/zip"
    assert found(inspector, tmp_path, b"%PDF-1.4\n" + docx) == "application/pdf"
    assert found(inspector, tmp_path, bytes(range(256)) * 9 + docx) == "application/zip"
    assert found(inspector, tmp_path, outer[: len(outer) // 2]) == "application/zip"


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (CSS, "", "text/css"),
        ("/* note */\n" + CSS, "", "text/css"),
        ("#include 'base.css'\n" + CSS, "a.css", "text/css"),
        ("#include 'base.css'\n" + CSS, "", "text/css"),
        ("#include the sugar in the list\nand stir.\n", "", "text/plain"),
        ("#include the sugar in the list\nand stir.\n", "a.txt", "text/plain"),
        ("#include <a.h>\nint main(void) {\n  return 0;\n}\n", "a.c", "text/x-csrc"),
        ("#include <a.h>\nint main(void) {\n  return 0;\n}\n", "", "text/x-c"),
        (TYPESCRIPT, "a.ts", "text/plain"),
        (TYPESCRIPT, "", "text/plain"),
        ("<!--" + "x" * 2048 + "-->\n" + SVG, "", "image/svg+xml"),
        (XML + "<!--" + "x" * 2048 + "-->\n<!-- y -->" + SVG, "a.md", "image/svg+xml"),
        ("words and more words\n".encode("utf-16-le"), "", "text/plain"),
        ("words and more words\n".encode("utf-16-be"), "", "text/plain"),
        ("\ufeffwords\n".encode("utf-16-le"), "", "text/plain"),
        (
            "\u5317\u4eac\u7684\u590f\u5929\u5f88\u70ed\u3002\u6211\u4eec\u53bb\u516c\u56ed\n".encode(),
            "",
            "text/plain",
        ),
        (HTML_MAIL, "", "message/rfc822"),
        (HTML_MAIL, "a.txt", "message/rfc822"),
        (HTML_MAIL.replace("\n", "\r\n"), "", "message/rfc822"),
        (MBOX, "", "application/mbox"),
        (MBOX, "a.mbox", "application/mbox"),
        ("MIME-Version: 1.0\nContent-Type: multipart/related; boundary=a\n\n--a\n", "", "message/rfc822"),
        ("Dear b: words\nSubject: none\n", "", "text/plain"),
        (XML + "<rss version='2.0'/>", "", "application/rss+xml"),
        (XML + "<feed xmlns='http://www.w3.org/2005/Atom'/>", "", "application/atom+xml"),
        (XML + "<kml xmlns='http://www.opengis.net/kml/2.2'/>", "", "application/vnd.google-earth.kml+xml"),
        (XML + "<thing/>", "", "application/xml"),
        ("\n<!DOCTYPE html>\n<title>x</title>", "a.css", "text/html"),
        ("<html><body>x</body></html>", "a.ts", "text/html"),
        ("#!/bin/sh\necho\n", "a.css", "text/x-shellscript"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nx\n", "", "text/vtt"),
        ("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", "", "text/calendar"),
    ],
)
def test_a_text_is_told_by_its_beginning_then_by_its_name(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes | str, name: str, media_type: str
) -> None:
    assert found(inspector, tmp_path, data, name) == media_type


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (brands("isom", "mp41"), "video/mp4"),
        (brands("M4A ", "isom"), "audio/mp4"),
        (brands("M4V "), "video/x-m4v"),
        (brands("qt  "), "video/quicktime"),
        (brands("3gp5", "isom"), "video/3gpp"),
        (brands("3g2a"), "video/3gpp2"),
        (brands("heic", "mif1"), "image/heic"),
        (brands("mif1", "heic"), "image/heic"),
        (brands("mif1", "avif"), "image/avif"),
        (brands("avif"), "image/avif"),
        (brands("crx ", "isom"), "image/x-canon-cr3"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm" + bytes(40), "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x88matroska" + bytes(40), "video/matroska"),
        (ogg(b"OpusHead"), "audio/ogg"),
        (ogg(b"\x01vorbis"), "audio/ogg"),
        (ogg(b"\x80theora"), "video/ogg"),
        (ogg(b"\x7fFLAC"), "audio/ogg"),
        (ogg(b"unheard of"), "application/ogg"),
        (b"ID3\4\0\0\0\0\0\2xxfLaC" + bytes(40), "audio/flac"),
        ((b"\x47" + bytes(187)) * 20, "video/mp2t"),
        (b"\0\1\0\0\0\x0f\0\x80" + bytes(99), "font/ttf"),
        (b"OTTO\0\x0f\0\x80" + bytes(99), "font/otf"),
        (b"ttcf\0\1\0\0" + bytes(99), "font/collection"),
        (b"wOF2" + bytes(99), "font/woff2"),
        (tiff(b"NIKON CORPORATION", 330), "image/x-nikon-nef"),
        (tiff(b"NIKON CORPORATION"), "image/tiff"),
        (tiff(b"Leica", 50706), "image/x-adobe-dng"),
    ],
)
def test_media_are_told_by_their_brands_and_codings(
    inspector: LibmagicInspector, tmp_path: Path, data: bytes, media_type: str
) -> None:
    assert found(inspector, tmp_path, data) == media_type


@pytest.mark.parametrize("program", [b"MZ", b"\x7fELF\2\1\1", b"\xca\xfe\xba\xbe\0\0\0\x34"])
@pytest.mark.parametrize(
    ("offset", "mark"),
    [(44, b"SCRM"), (60, b"BOOKMOBI"), (128, b"DICM"), (257, b"ustar"), (522, b"\x11\2\xff\x0c")],
)
def test_marks_behind_its_beginning_make_nothing_else_of_a_program(
    inspector: LibmagicInspector, tmp_path: Path, program: bytes, offset: int, mark: bytes
) -> None:
    data = bytearray(program.ljust(1024, b"\1"))
    data[offset : offset + len(mark)] = mark
    plain = found(inspector, tmp_path, program.ljust(1024, b"\1"))
    assert found(inspector, tmp_path, bytes(data), "a.tar") in {plain, "application/x-executable"}
