"""Media types by their IANA names, and the refinement of vague ones.

libmagic knows what bytes begin with. It cannot tell a table from prose or a manual from a diary, and for
it many formats are "a ZIP" or "some data". There, and only there, the name and the sender's claim count:
they choose among harmless types, so that a program never passes for a picture.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from filebot.filenames import extension

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
ZIP: Final = "application/zip"

# libmagic's name -> the registered name or, for wav, the usual one.
_ALIASES: Final[Mapping[str, str]] = {
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
_HINTS: Final[Mapping[str, Mapping[str, str]]] = {TEXT: _TEXTS, UNKNOWN: _DATA, ZIP: _ZIPS}

# Which members, or folders at the top, make a ZIP something else; the first rule that fits counts.
_MEMBERS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"AndroidManifest.xml", "classes.dex"}), "application/vnd.android.package-archive"),
    (frozenset({"AndroidManifest.xml", "resources.arsc"}), "application/vnd.android.package-archive"),
    (frozenset({"[Content_Types].xml", "word/"}), _OOXML + "wordprocessingml.document"),
    (frozenset({"[Content_Types].xml", "xl/"}), _OOXML + "spreadsheetml.sheet"),
    (frozenset({"[Content_Types].xml", "ppt/"}), _OOXML + "presentationml.presentation"),
    (frozenset({"META-INF/container.xml", "mimetype"}), "application/epub+zip"),
    (frozenset({"META-INF/MANIFEST.MF"}), "application/java-archive"),
    (frozenset({"doc.kml"}), "application/vnd.google-earth.kmz"),
)


def registered(media_type: str) -> str:
    """Return the registered name of a type, or the type itself."""
    lower = media_type.lower()
    return _ALIASES.get(lower, lower)


def of_zip(members: Iterable[str]) -> str:
    """Return the media type of a ZIP that has these members."""
    names = {part for name in members for part in (name, name.partition("/")[0] + "/")}
    return next((kind for needed, kind in _MEMBERS if needed <= names), ZIP)


def refined(found: str, name: str, claimed: str | None) -> str:
    """Refine a vague type by the file's name, else by the sender's claim; return others unchanged."""
    hints = _HINTS.get(found, {})
    by_name = hints.get(extension(name))
    if by_name is not None:
        return by_name
    claim = registered((claimed or "").partition(";")[0].strip())
    return claim if claim in hints.values() else found
