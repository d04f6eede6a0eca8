"""Everyday names of media types. ``message`` marks texts to translate, see ``scripts/messages.py``."""

from typing import Final


def message(text: str) -> str:
    """Mark ``text`` for translation. It is returned as it is, and translated where it is used."""
    return text


_ARCHIVE: Final = message("%(format)s archive")
_AUDIO: Final = message("%(format)s audio")
_DATA: Final = message("%(format)s data")
_DOCUMENT: Final = message("%(format)s document")
_IMAGE: Final = message("%(format)s image")
_PRESENTATION: Final = message("%(format)s presentation")
_SPREADSHEET: Final = message("%(format)s spreadsheet")
_VIDEO: Final = message("%(format)s video")

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_OPEN: Final = "application/vnd.oasis.opendocument"

FORMATS: Final = {
    "application/epub+zip": ("EPUB", message("%(format)s book")),
    "application/gzip": ("gzip", _ARCHIVE),
    "application/java-archive": ("Java", _ARCHIVE),
    "application/json": ("JSON", _DATA),
    "application/msword": ("Word", _DOCUMENT),
    "application/ogg": ("Ogg", _AUDIO),
    "application/pdf": ("PDF", _DOCUMENT),
    "application/rtf": ("RTF", _DOCUMENT),
    "application/vnd.android.package-archive": ("Android", message("%(format)s app")),
    "application/vnd.ms-excel": ("Excel", _SPREADSHEET),
    "application/vnd.ms-powerpoint": ("PowerPoint", _PRESENTATION),
    "application/vnd.rar": ("RAR", _ARCHIVE),
    f"{_OFFICE}.presentationml.presentation": ("PowerPoint", _PRESENTATION),
    f"{_OFFICE}.spreadsheetml.sheet": ("Excel", _SPREADSHEET),
    f"{_OFFICE}.wordprocessingml.document": ("Word", _DOCUMENT),
    f"{_OPEN}.presentation": ("OpenDocument", _PRESENTATION),
    f"{_OPEN}.spreadsheet": ("OpenDocument", _SPREADSHEET),
    f"{_OPEN}.text": ("OpenDocument", _DOCUMENT),
    "application/x-7z-compressed": ("7z", _ARCHIVE),
    "application/x-bzip2": ("bzip2", _ARCHIVE),
    "application/x-rar": ("RAR", _ARCHIVE),
    "application/x-tar": ("tar", _ARCHIVE),
    "application/x-xz": ("xz", _ARCHIVE),
    "application/xml": ("XML", _DATA),
    "application/zip": ("ZIP", _ARCHIVE),
    "application/zstd": ("zstd", _ARCHIVE),
    "audio/aac": ("AAC", _AUDIO),
    "audio/flac": ("FLAC", _AUDIO),
    "audio/mp4": ("MP4", _AUDIO),
    "audio/mpeg": ("MP3", _AUDIO),
    "audio/ogg": ("Ogg", _AUDIO),
    "audio/wav": ("WAV", _AUDIO),
    "audio/x-m4a": ("M4A", _AUDIO),
    "audio/x-wav": ("WAV", _AUDIO),
    "image/avif": ("AVIF", _IMAGE),
    "image/bmp": ("BMP", _IMAGE),
    "image/gif": ("GIF", _IMAGE),
    "image/heic": ("HEIC", _IMAGE),
    "image/jpeg": ("JPEG", _IMAGE),
    "image/png": ("PNG", _IMAGE),
    "image/svg+xml": ("SVG", _IMAGE),
    "image/tiff": ("TIFF", _IMAGE),
    "image/webp": ("WebP", _IMAGE),
    "text/calendar": ("iCalendar", _DATA),
    "text/csv": ("CSV", message("%(format)s table")),
    "text/html": ("HTML", message("%(format)s page")),
    "text/markdown": ("Markdown", message("%(format)s text")),
    "text/rtf": ("RTF", _DOCUMENT),
    "text/xml": ("XML", _DATA),
    "video/mp4": ("MP4", _VIDEO),
    "video/mpeg": ("MPEG", _VIDEO),
    "video/quicktime": ("QuickTime", _VIDEO),
    "video/webm": ("WebM", _VIDEO),
    "video/x-matroska": ("Matroska", _VIDEO),
}
"""For each media type the name of its format, which is not translated, and the phrase around it."""

NAMED: Final = {
    "application/octet-stream": message("unknown kind of file"),
    "text/plain": message("plain text"),
}

PREFIXES: Final = {
    "audio": message("audio"),
    "font": message("font"),
    "image": message("image"),
    "text": message("text"),
    "video": message("video"),
}
"""Names by the part before the slash, for other media types."""
