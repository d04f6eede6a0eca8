"""Names for files that nobody named, with the ending of their type."""

from typing import Final

_NOUNS: Final = {"audio": "audio", "font": "font", "image": "image", "text": "text", "video": "video"}
"""By the first part of the media type."""

_ENDINGS: Final = {
    "application/epub+zip": "epub",
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/ogg": "ogg",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.debian.binary-package": "deb",
    "application/vnd.microsoft.portable-executable": "exe",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.rar": "rar",
    "application/x-7z-compressed": "7z",
    "application/x-bzip2": "bz2",
    "application/x-tar": "tar",
    "application/x-xz": "xz",
    "application/xml": "xml",
    "application/zip": "zip",
    "application/zstd": "zst",
    "audio/AMR": "amr",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/opus": "opus",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/vnd.adobe.photoshop": "psd",
    "image/vnd.microsoft.icon": "ico",
    "text/calendar": "ics",
    "text/javascript": "js",
    "text/markdown": "md",
    "text/plain": "txt",
    "text/tab-separated-values": "tsv",
    "text/vcard": "vcf",
    "text/xml": "xml",
    "video/matroska": "mkv",
    "video/mpeg": "mpg",
    "video/quicktime": "mov",
    "video/vnd.avi": "avi",
    "video/x-m4v": "m4v",
}


def default_name(media_type: str) -> str:
    """Return a name such as ``image.png``; ``file`` if the type has no usual ending."""
    kind, _, rest = media_type.partition("/")
    # The second part of many types is the ending: image/png, audio/flac, video/webm, text/csv.
    short = rest if kind in _NOUNS and rest.isalnum() and rest.isascii() and len(rest) <= 5 else None
    ending = _ENDINGS.get(media_type, short)
    noun = _NOUNS.get(kind, "file")
    return f"{noun}.{ending}" if ending else noun
