"""The kinds of documents that are a ZIP, told by their members."""

import re
from collections.abc import Mapping
from typing import Final

from filebot.filetype.reader import BoundedReader
from filebot.filetype.xml_dialects import xml_type
from filebot.filetype.zip_directory import Member, content, members
from filebot.model import FileKind

ZIP: Final = "application/zip"

_TEXT_BYTES: Final = 64 * 1024
"""Bytes of a member that are unpacked."""

_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_VISIO: Final = "application/vnd.ms-visio."
_APK: Final = "application/vnd.android.package-archive"

# The content type of a package's main part (ECMA-376 part 2), for parts whose own name is not the rule.
_MAIN_PARTS: Final[Mapping[str, str]] = {
    "application/vnd.ms-package.3dmanufacturing-3dmodel+xml": "model/3mf",
    "application/vnd.ms-package.xps-fixeddocumentsequence+xml": "application/vnd.ms-xpsdocument",
    "application/oxps-fixeddocumentsequence+xml": "application/oxps",
    "application/vnd.openxmlformats-officedocument.themeManager+xml": "application/vnd.ms-officetheme",
}
_CONTENT_TYPE: Final = re.compile(r"""ContentType\s*=\s*["']([^"']{1,200})["']""")
_MAIN: Final = re.compile(r"(application/vnd\.[A-Za-z0-9.\-]+)\.main(\+xml)?$")

# Types of packages with macros, whatever they call themselves.
_WITH_MACROS: Final[Mapping[str, str]] = {
    _OOXML + "wordprocessingml.document": "application/vnd.ms-word.document.macroEnabled.12",
    _OOXML + "wordprocessingml.template": "application/vnd.ms-word.template.macroEnabled.12",
    _OOXML + "spreadsheetml.sheet": "application/vnd.ms-excel.sheet.macroEnabled.12",
    _OOXML + "spreadsheetml.template": "application/vnd.ms-excel.template.macroEnabled.12",
    _OOXML + "presentationml.presentation": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
    _OOXML + "presentationml.slideshow": "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
    _OOXML + "presentationml.template": "application/vnd.ms-powerpoint.template.macroEnabled.12",
    _VISIO + "drawing": _VISIO + "drawing.macroEnabled.12",
    _VISIO + "stencil": _VISIO + "stencil.macroEnabled.12",
    _VISIO + "template": _VISIO + "template.macroEnabled.12",
}

# For a package whose content types cannot be read.
_FOLDERS: Final[Mapping[str, str]] = {
    "word/": _OOXML + "wordprocessingml.document",
    "xl/": _OOXML + "spreadsheetml.sheet",
    "ppt/": _OOXML + "presentationml.presentation",
    "visio/": _VISIO + "drawing",
    "3D/": "model/3mf",
    "FixedDocSeq.fdseq": "application/vnd.ms-xpsdocument",
    "FixedDocumentSequence.fdseq": "application/vnd.ms-xpsdocument",
}

# Members, or folders at the top, all of which make a ZIP something else; the first rule that fits counts.
_RULES: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"AndroidManifest.xml", "classes.dex"}), _APK),
    (frozenset({"AndroidManifest.xml", "resources.arsc"}), _APK),
    (frozenset({"AndroidManifest.xml", "META-INF/"}), _APK),
    (frozenset({"META-INF/com/android/build/gradle/app-metadata.properties"}), _APK),
    (frozenset({"META-INF/mozilla.rsa"}), "application/x-xpinstall"),
    (frozenset({"install.rdf"}), "application/x-xpinstall"),
    (frozenset({"META-INF/container.xml", "mimetype"}), "application/epub+zip"),
    (frozenset({"META-INF/container.xml", "OEBPS/"}), "application/epub+zip"),
    (frozenset({"META-INF/application.xml"}), "application/java-archive"),
    (frozenset({"META-INF/MANIFEST.MF"}), "application/java-archive"),
    (frozenset({"index.apxl"}), "application/vnd.apple.keynote"),
    (frozenset({"index.apxl.gz"}), "application/vnd.apple.keynote"),
    (frozenset({"presentation.apxl"}), "application/vnd.apple.keynote"),
    (frozenset({"description.xml", "META-INF/manifest.xml"}), "application/vnd.openofficeorg.extension"),
    (frozenset({"doc.kml"}), "application/vnd.google-earth.kmz"),
    (frozenset({"datapackage.json", "archive/", "indexes/"}), "application/x-wacz"),
)
_MIMETYPE: Final = re.compile(rb"[a-z]+/[A-Za-z0-9.+\-]{1,100}\s*$")
_FILE_ENTRY: Final = re.compile(r"<[\w:]*file-entry\b[^>]{0,500}>")
_WHOLE: Final = re.compile(r"""full-path\s*=\s*["']/["']""")
_ENTRY_TYPE: Final = re.compile(
    r"""media-type\s*=\s*["'](application/vnd\.(?:sun\.xml|oasis)\.[\w.\-]{1,80})["']"""
)
_PAGES_DOCUMENT: Final = b"\x08\x90\x4e"
"""Type 10000 of a message in an archive of iWork, which only a document of Pages begins with."""
_IWORK_XML: Final = ("application/vnd.apple.pages", "application/vnd.apple.numbers")


def kind_of(reader: BoundedReader) -> FileKind:
    """Return the kind of a file that begins as a ZIP."""
    found = members(reader)
    by_name = {member.name: member for member in reversed(found)}
    names = {part for name in by_name for part in (name, name.partition("/")[0] + "/")}
    media_type = _declared(reader, found) or _package(reader, by_name, names)
    if media_type is None:
        media_type = (
            _iwork(reader, by_name, names) or _manifest(reader, by_name) or _by_rules(names, by_name)
        )
    if any(name.lower().endswith("vbaproject.bin") for name in by_name):
        has_own_type = media_type in _WITH_MACROS or media_type in _WITH_MACROS.values()
        return FileKind(_WITH_MACROS.get(media_type, media_type), has_macros=not has_own_type)
    return FileKind(media_type)


def _by_rules(names: set[str], by_name: Mapping[str, Member]) -> str:
    for needed, kind in _RULES:
        if needed <= names:
            return kind
    if any(name.startswith("Payload/") and ".app/" in name for name in by_name):
        return "application/x-itunes-ipa"
    if len(by_name) == 1 and next(iter(by_name)).endswith(".kml"):
        return "application/vnd.google-earth.kmz"
    return ZIP


def _declared(reader: BoundedReader, found: list[Member]) -> str | None:
    """Return what the member ``mimetype`` says (ODF 1.2 part 3, EPUB OCF), if it can be true."""
    member = next((each for each in found if each.name == "mimetype"), None)
    if member is None:
        return None
    said = content(reader, member, 200).strip()
    if not _MIMETYPE.match(said):
        return None
    kind = said.decode()
    # A page or picture in a browser is no ZIP, and an ordinary ZIP may hold a file of this name.
    return kind if kind.startswith(("application/vnd.", "application/epub", "application/x-")) else None


def _manifest(reader: BoundedReader, by_name: Mapping[str, Member]) -> str | None:
    """Return what the manifest of an office document says of the whole (ODF 1.2 part 3, section 3)."""
    manifest = by_name.get("META-INF/manifest.xml")
    if manifest is None:
        return None
    text = content(reader, manifest, _TEXT_BYTES).decode(errors="replace")
    entry = next((each for each in _FILE_ENTRY.findall(text) if _WHOLE.search(each)), "")
    said = _ENTRY_TYPE.search(entry)
    return said[1] if said else None


def _package(reader: BoundedReader, by_name: Mapping[str, Member], names: set[str]) -> str | None:
    types = by_name.get("[Content_Types].xml")
    if types is None and "_rels/.rels" not in names:
        return None
    text = content(reader, types, _TEXT_BYTES).decode(errors="replace") if types else ""
    for declared in _CONTENT_TYPE.findall(text):
        if declared in _MAIN_PARTS:
            return _MAIN_PARTS[declared]
        main = _MAIN.match(declared)
        if main:
            kind = main[1]
            kind = kind.replace(".macroEnabledTemplate", ".macroEnabled")
            return kind + ".12" if kind.endswith("macroEnabled") else kind
    return next((kind for folder, kind in _FOLDERS.items() if folder in names), None)


def _iwork(reader: BoundedReader, by_name: Mapping[str, Member], names: set[str]) -> str | None:
    index = by_name.get("index.xml")
    if index is not None:
        kind = xml_type(content(reader, index, _TEXT_BYTES).decode(errors="replace"))
        return kind if kind in _IWORK_XML or kind == "application/vnd.apple.keynote" else None
    if not any(name.endswith((".iwa", "Index.zip")) for name in by_name):
        return None
    if any("Index/Slide" in name or "Index/MasterSlide" in name for name in by_name):
        return "application/vnd.apple.keynote"
    for suffix, kind in (("key", "keynote"), ("numbers", "numbers"), ("pages", "pages")):
        if any(name.endswith("/") and name.rstrip("/").endswith("." + suffix) for name in names):
            return "application/vnd.apple." + kind
    document = by_name.get("Index/Document.iwa")
    start = content(reader, document, 64) if document else b""
    if _PAGES_DOCUMENT not in start and (start or any(name.startswith("Index/Tables/") for name in names)):
        return "application/vnd.apple.numbers"
    return "application/vnd.apple.pages"
