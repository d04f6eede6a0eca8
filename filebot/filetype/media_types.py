"""Tables of media types by their IANA names: other names, and those that a vague type may mean."""

from collections.abc import Mapping
from typing import Final

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
ZIP: Final = "application/zip"

# libmagic's name -> the registered name or, for wav, the usual one.
ALIASES: Final[Mapping[str, str]] = {
    "application/csv": "text/csv",
    "application/javascript": "text/javascript",
    "application/vnd.ms-opentype": "font/otf",
    "application/x-debian-package": "application/vnd.debian.binary-package",
    "application/x-dosexec": "application/vnd.microsoft.portable-executable",
    "application/x-empty": UNKNOWN,
    "application/x-font-ttf": "font/ttf",
    "application/x-gzip": "application/gzip",
    "application/x-rar": "application/vnd.rar",
    "application/x-shockwave-flash": "application/vnd.adobe.flash.movie",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "application/x-zip-compressed": ZIP,
    "audio/amr": "audio/AMR",
    "audio/x-flac": "audio/flac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/x-icon": "image/vnd.microsoft.icon",
    "image/x-ms-bmp": "image/bmp",
    "inode/x-empty": UNKNOWN,
    "text/x-javascript": "text/javascript",
    "text/x-markdown": "text/markdown",
    "text/x-vcard": "text/vcard",
    "video/x-matroska": "video/matroska",
    "video/x-msvideo": "video/vnd.avi",
}

_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."

# No HTML, no SVG and no script that something might run: those must show in the content.
_TEXTS: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
    ".ics": "text/calendar",
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".sql": "application/sql",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values",
    ".vcf": "text/vcard",
    ".vtt": "text/vtt",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_DATA: Final[Mapping[str, str]] = {
    ".aac": "audio/aac",
    ".gpg": "application/pgp-encrypted",
    ".mp3": "audio/mpeg",
    ".otf": "font/otf",
    ".pgp": "application/pgp-encrypted",
    ".sqlite": "application/vnd.sqlite3",
    ".ttf": "font/ttf",
}
_ZIPS: Final[Mapping[str, str]] = {
    ".cbz": "application/vnd.comicbook+zip",
    ".kmz": "application/vnd.google-earth.kmz",
    ".odp": _ODF + "presentation",
    ".ods": _ODF + "spreadsheet",
    ".odt": _ODF + "text",
}
HINTS: Final[Mapping[str, Mapping[str, str]]] = {TEXT: _TEXTS, UNKNOWN: _DATA, ZIP: _ZIPS}
"""For each vague type, the harmless types that names with these extensions may make of it."""

# Which members, or folders at the top, make a ZIP something else; the first rule that fits counts.
ZIP_MEMBERS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"AndroidManifest.xml", "classes.dex"}), "application/vnd.android.package-archive"),
    (frozenset({"AndroidManifest.xml", "resources.arsc"}), "application/vnd.android.package-archive"),
    (frozenset({"[Content_Types].xml", "word/"}), _OOXML + "wordprocessingml.document"),
    (frozenset({"[Content_Types].xml", "xl/"}), _OOXML + "spreadsheetml.sheet"),
    (frozenset({"[Content_Types].xml", "ppt/"}), _OOXML + "presentationml.presentation"),
    (frozenset({"META-INF/container.xml", "mimetype"}), "application/epub+zip"),
    (frozenset({"META-INF/MANIFEST.MF"}), "application/java-archive"),
    (frozenset({"doc.kml"}), "application/vnd.google-earth.kmz"),
)
