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
    "application/x-java-applet": "application/java-vm",
    "application/x-gzip": "application/gzip",
    "application/x-rar": "application/vnd.rar",
    "application/x-shockwave-flash": "application/vnd.adobe.flash.movie",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "application/x-compress-ttcomp": UNKNOWN,  # told by one byte
    "application/x-zip-compressed": ZIP,
    "audio/amr": "audio/AMR",
    "audio/vnd.dolby.dd-raw": "audio/ac3",
    "audio/x-flac": "audio/flac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/x-eps": "application/postscript",
    "image/x-win-bitmap": "image/vnd.microsoft.icon",
    "image/x-portable-greymap": "image/x-portable-graymap",
    "image/x-icon": "image/vnd.microsoft.icon",
    "image/x-ms-bmp": "image/bmp",
    "inode/x-empty": UNKNOWN,
    "text/x-javascript": "text/javascript",
    "text/x-markdown": "text/markdown",
    "text/x-vcard": "text/vcard",
    "application/font-sfnt": "font/sfnt",
    "application/font-woff": "font/woff",
    "application/vnd.ms-visio.drawing.main+xml": "application/vnd.ms-visio.drawing",
    "text/rtf": "application/rtf",
    "text/x-msdos-batch": "application/x-bat",
    "text/x-script.python": "text/x-python",
    "text/xml": "application/xml",
    "video/x-matroska": "video/matroska",
    "video/x-msvideo": "video/vnd.avi",
}

_ODF: Final = "application/vnd.oasis.opendocument."

_DATA: Final[Mapping[str, str]] = {
    ".aac": "audio/aac",
    ".br": "application/x-brotli",
    ".gpg": "application/pgp-encrypted",
    ".mp3": "audio/mpeg",
    ".otf": "font/otf",
    ".pgp": "application/pgp-encrypted",
    ".stl": "model/stl",
    ".sqlite": "application/vnd.sqlite3",
    ".ttf": "font/ttf",
}
_ZIPS: Final[Mapping[str, str]] = {
    ".cbz": "application/vnd.comicbook+zip",
    ".kmz": "application/vnd.google-earth.kmz",
    ".odp": _ODF + "presentation",
    ".ods": _ODF + "spreadsheet",
    ".odt": _ODF + "text",
    ".key": "application/vnd.apple.keynote",
    ".numbers": "application/vnd.apple.numbers",
    ".pages": "application/vnd.apple.pages",
    ".xlz": "application/x-xliff+zip",
    ".xpi": "application/x-xpinstall",
}
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
# Behind a password all look the same.
_PROTECTED: Final[Mapping[str, str]] = {
    ".docx": _OOXML + "wordprocessingml.document",
    ".pptx": _OOXML + "presentationml.presentation",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".xlsx": _OOXML + "spreadsheetml.sheet",
}
_RAW_PICTURES: Final[Mapping[str, str]] = {
    ".arw": "image/x-sony-arw",
    ".cr2": "image/x-canon-cr2",
    ".dng": "image/x-adobe-dng",
    ".nef": "image/x-nikon-nef",
    ".pef": "image/x-pentax-pef",
}
HINTS: Final[Mapping[str, Mapping[str, str]]] = {
    UNKNOWN: _DATA,
    ZIP: _ZIPS,
    "application/encrypted": _PROTECTED,
    "application/mbox": {".eml": "message/rfc822"},
    "image/jp2": {".jpf": "image/jpx", ".jpx": "image/jpx"},
    "image/png": {".apng": "image/apng"},
    "image/tiff": _RAW_PICTURES,
    "video/matroska": {".mka": "audio/matroska"},
    "video/mp4": {".m4a": "audio/mp4", ".m4b": "audio/mp4"},
    "video/webm": {".weba": "audio/webm"},
    "video/x-ms-wmv": {".asf": "video/x-ms-asf"},
    "audio/x-ms-wma": {".asf": "video/x-ms-asf"},
}
"""For each vague type, the harmless types that names with these extensions may make of it."""
