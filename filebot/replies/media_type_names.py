"""Everyday names of media types. ``message`` marks texts to translate, see ``scripts/messages.py``."""

from typing import Final


def message(text: str) -> str:
    """Mark ``text`` for translation. It is returned as it is, and translated where it is used."""
    return text


_ARCHIVE: Final = message("%(format)s archive")
_AUDIO: Final = message("%(format)s audio")
_DATA: Final = message("%(format)s data")
_DOCUMENT: Final = message("%(format)s document")
_DRAWING: Final = message("%(format)s drawing")
_IMAGE: Final = message("%(format)s image")
_PRESENTATION: Final = message("%(format)s presentation")
_SPREADSHEET: Final = message("%(format)s spreadsheet")
_TEMPLATE: Final = message("%(format)s template")
_VIDEO: Final = message("%(format)s video")

WITH_MACROS: Final = {
    _DOCUMENT: message("%(format)s document with macros"),
    _DRAWING: message("%(format)s drawing with macros"),
    _PRESENTATION: message("%(format)s presentation with macros"),
    _SPREADSHEET: message("%(format)s spreadsheet with macros"),
    _TEMPLATE: message("%(format)s template with macros"),
}
"""Phrases for documents that hold programs of their own, by the phrase for those that hold none."""

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
    "application/onenote": ("OneNote", message("%(format)s notebook")),
    "application/vnd.apple.keynote": ("Keynote", _PRESENTATION),
    "application/vnd.apple.numbers": ("Numbers", _SPREADSHEET),
    "application/vnd.apple.pages": ("Pages", _DOCUMENT),
    "application/vnd.ms-excel": ("Excel", _SPREADSHEET),
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": ("Excel", _SPREADSHEET),
    "application/vnd.ms-excel.sheet.macroenabled.12": ("Excel", WITH_MACROS[_SPREADSHEET]),
    "application/vnd.ms-excel.template.macroenabled.12": ("Excel", WITH_MACROS[_TEMPLATE]),
    "application/vnd.ms-outlook": ("Outlook", message("%(format)s message")),
    "application/vnd.ms-powerpoint": ("PowerPoint", _PRESENTATION),
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": (
        "PowerPoint",
        WITH_MACROS[_PRESENTATION],
    ),
    "application/vnd.ms-powerpoint.slideshow.macroenabled.12": ("PowerPoint", WITH_MACROS[_PRESENTATION]),
    "application/vnd.ms-powerpoint.template.macroenabled.12": ("PowerPoint", WITH_MACROS[_TEMPLATE]),
    "application/vnd.ms-visio.drawing": ("Visio", _DRAWING),
    "application/vnd.ms-visio.drawing.macroenabled.12": ("Visio", WITH_MACROS[_DRAWING]),
    "application/vnd.ms-visio.stencil": ("Visio", _TEMPLATE),
    "application/vnd.ms-visio.stencil.macroenabled.12": ("Visio", WITH_MACROS[_TEMPLATE]),
    "application/vnd.ms-visio.template": ("Visio", _TEMPLATE),
    "application/vnd.ms-visio.template.macroenabled.12": ("Visio", WITH_MACROS[_TEMPLATE]),
    "application/vnd.ms-word.document.macroenabled.12": ("Word", WITH_MACROS[_DOCUMENT]),
    "application/vnd.ms-word.template.macroenabled.12": ("Word", WITH_MACROS[_TEMPLATE]),
    "application/vnd.ms-xpsdocument": ("XPS", _DOCUMENT),
    "application/vnd.visio": ("Visio", _DRAWING),
    "application/x-mspublisher": ("Publisher", _DOCUMENT),
    "application/vnd.rar": ("RAR", _ARCHIVE),
    f"{_OFFICE}.presentationml.presentation": ("PowerPoint", _PRESENTATION),
    f"{_OFFICE}.presentationml.slideshow": ("PowerPoint", _PRESENTATION),
    f"{_OFFICE}.presentationml.template": ("PowerPoint", _TEMPLATE),
    f"{_OFFICE}.spreadsheetml.template": ("Excel", _TEMPLATE),
    f"{_OFFICE}.wordprocessingml.template": ("Word", _TEMPLATE),
    f"{_OFFICE}.spreadsheetml.sheet": ("Excel", _SPREADSHEET),
    f"{_OFFICE}.wordprocessingml.document": ("Word", _DOCUMENT),
    f"{_OPEN}.graphics": ("OpenDocument", _DRAWING),
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
    "text/css": ("CSS", message("%(format)s style sheet")),
    "text/vcard": ("vCard", _DATA),
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
    "video/3gpp": ("3GPP", _VIDEO),
    "video/matroska": ("Matroska", _VIDEO),
    "video/ogg": ("Ogg", _VIDEO),
    "video/vnd.avi": ("AVI", _VIDEO),
    "video/x-matroska": ("Matroska", _VIDEO),
}
"""For each media type the name of its format, which is not translated, and the phrase around it."""

NAMED: Final = {
    "application/octet-stream": message("unknown kind of file"),
    "application/mbox": message("mailbox"),
    "application/vnd.microsoft.portable-executable": message("Windows program"),
    "application/x-executable": message("program"),
    "application/x-pie-executable": message("program"),
    "application/x-sharedlib": message("program"),
    "message/rfc822": message("e-mail message"),
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
