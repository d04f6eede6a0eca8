"""Kinds of text, told by how they begin, by libmagic and, where neither decides, by the file's name."""

import re
from typing import Final

from filebot.filetype.mail import mail_type
from filebot.filetype.text_encoding import decoded
from filebot.filetype.text_names import TEXT_NAMES
from filebot.filetype.xml_dialects import XML, xml_type

TEXT: Final = "text/plain"
_UNKNOWN: Final = "application/octet-stream"

_STARTS: Final[tuple[tuple[str, str], ...]] = (
    ("WEBVTT", "text/vtt"),
    ("BEGIN:VCARD", "text/vcard"),
    ("BEGIN:ICALENDAR", "text/calendar"),
    ("#EXTM3U", "audio/x-mpegurl"),
    ("{\\rtf", "application/rtf"),
    ("-----BEGIN PKCS7-----", "application/pkcs7-mime"),
    ("-----BEGIN CMS-----", "application/pkcs7-mime"),
    ("-----BEGIN PGP PUBLIC KEY", "application/pgp-keys"),
    ("-----BEGIN PGP PRIVATE KEY", "application/pgp-keys"),
    ("-----BEGIN PGP SIGNATURE", "application/pgp-signature"),
    ("-----BEGIN PGP MESSAGE", "application/pgp-encrypted"),
    ("-----BEGIN CERTIFICATE REQUEST", "application/pkcs10"),
    ("-----BEGIN NEW CERTIFICATE REQUEST", "application/pkcs10"),
    ("-----BEGIN X509 CRL", "application/pkix-crl"),
    ("-----BEGIN CERTIFICATE", "application/pem-certificate-chain"),
    ("-----BEGIN ", "application/x-pem-file"),
    ("StartFontMetrics", "application/x-font-adobe-metric"),
    ("ISO-10303-21;", "model/step"),
    ("Windows Registry Editor Version", "text/x-ms-regedit"),
    ("REGEDIT4", "text/x-ms-regedit"),
    ("HEADER RECORD*******LIB", "application/x-sas-xport"),
    ("<?php", "text/x-php"),
    ("<%@", "text/x-jsp"),
    ("#VRML V", "model/vrml"),
    ("#X3D V", "model/x3d-vrml"),
    ("ply\n", "model/ply"),
    ("[InternetShortcut]", "application/x-mswinurl"),
    ("[Desktop Entry]", "application/x-desktop"),
    ("d8:announce", "application/x-bittorrent"),
    ("%FDF-", "application/vnd.fdf"),
    ("{{Infobox", "text/x-mediawiki"),
    ("ENVI\n", "application/envi.hdr"),
    ("ENVI\r\n", "application/envi.hdr"),
    ("<MIFFile", "application/vnd.mif"),
    ("[{000214A0-", "application/x-mswinurl"),
)
# Marks that may stand a little behind the beginning.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"BEGIN:VCALENDAR\b.{0,400}?\nVERSION:1\.0", re.DOTALL), "text/x-vcalendar"),
    (re.compile(r"BEGIN:VCALENDAR"), "text/calendar"),
    (re.compile(r"%!PS-Adobe-\d\.\d EPSF-"), "application/postscript"),
    (
        re.compile(r"%!PS-Adobe.{0,1000}?%%Creator: ?Adobe Illustrator", re.DOTALL),
        "application/illustrator",
    ),
    (re.compile(r"%!PS"), "application/postscript"),
    (re.compile(r"solid [^\n]{0,200}\n\s*facet\s+normal"), "model/stl"),
    (re.compile(r"\s*0\s+SECTION\s+2\s+(?:HEADER|TABLES|ENTITIES|CLASSES|BLOCKS)\b"), "image/vnd.dxf"),
    (re.compile(r"(?>999\s[^\n]*\n\s*){1,50}+0\s+SECTION\s+2\s+HEADER"), "image/vnd.dxf"),
    (re.compile(r"\d+\r?\n\d\d:\d\d:\d\d[,.]\d{3} --> \d\d:\d\d:\d\d"), "application/x-subrip"),
    (re.compile(r"P1\s+(?:#[^\n]*+\s++)*+\d+\s+\d+\s+[01\s]+"), "image/x-portable-bitmap"),
    (re.compile(r"P2\s+(?:#[^\n]*+\s++)*+\d+\s+\d+\s+\d+\s+[\d\s]+"), "image/x-portable-graymap"),
    (re.compile(r"P3\s+(?:#[^\n]*+\s++)*+\d+\s+\d+\s+\d+\s+[\d\s]+"), "image/x-portable-pixmap"),
    (
        re.compile(r"@(?:article|book|misc|inproceedings|inbook|phdthesis)\s*\{", re.IGNORECASE),
        "text/x-bibtex",
    ),
    (re.compile(r"%0 \w[^\n]*\n%[A-Z] "), "application/x-endnote-refer"),
    (
        re.compile(
            r"(?>\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)*+(?:strict\s+)?(?:di)?graph\s+(?:\w+\s*|\"[^\"\n]{0,200}\"\s*)?\{",
            re.DOTALL,
        ),
        "text/vnd.graphviz",
    ),
    (re.compile(r"#define \w+_width \d+\s+#define \w+_height \d+"), "image/x-xbitmap"),
    (re.compile(r"STARTFONT 2\.\d"), "application/x-font-bdf"),
    (re.compile(r"JAVA PROFILE 1\.0\.\d"), "application/vnd.java.hprof.text"),
)
_LOOKED_AT: Final = 16 * 1024
"""Characters that a pattern may run over."""
_OBJECTIVE_C: Final = re.compile(
    r"^[ \t]*+(?:#import|#include|@interface|@implementation|@protocol|@class|//|/\*)", re.MULTILINE
)
_CSS: Final = re.compile(
    r"(?:@(?:charset|import)\s[^;{}]{1,300};|@(?:media|font-face|keyframes)[^;{}]{0,300}\{"
    r"|[\w.#:*\[][^;{}<>=]{0,300}\{\s*(?:--)?[a-z-]{2,40}\s*:\s*[^;{}<>]{1,300}[;}])"
)
_CSS_SKIPPED: Final = re.compile(r"\s+|/\*.*?\*/|#include[^\n]*", re.DOTALL)
_C_BODY: Final = re.compile(
    r"^[ \t]*+(?:(?:static|extern|const|unsigned|inline|typedef|struct|class|namespace|template|using|int"
    r"|void|char|double|float|bool|auto|enum|public|private)\b[^\n]*(?:[;{(]|\n\{)"
    r"|#\s*(?:define|if|ifdef|ifndef|endif)\b)",
    re.MULTILINE,
)
_TYPESCRIPT: Final = re.compile(
    r"^[ \t]*+(?:export[ \t]++)?(?:default[ \t]++)?(?:declare\s|abstract\s+class\s|interface\s+\w+[^\n]*\{"
    r"|type\s+\w+(?:<[^>\n]*>)?\s*=|enum\s+\w+\s*\{|namespace\s+\w+\s*\{|import\s+type\s)"
    r"|^[ \t]*+(?:private|public|protected|readonly)\s+\w+[^\n]*[:(]"
    r"|(?:const|let|var)\s++\w++\s*+:\s*+[\w<>\[\]|{ ]++=|\)\s*+:\s*+[\w<>\[\]|]++\s*+(?:=>|\{)"
    r"|[(,]\s*+\w++\??:\s*+(?:string|number|boolean|any|void)\b",
    re.MULTILINE,
)

# Guesses of libmagic from a few words anywhere in a text. Here the name says more.
_GUESSED: Final = frozenset(
    {
        "application/javascript", "application/json", "application/x-ndjson", "application/x-setupscript",
        "application/x-wine-extension-ini", "application/xml", "image/x-tga", "message/news",
        "text/calendar", "text/csv", "text/html", "text/javascript", "text/markdown", "text/troff",
        "text/x-affix", "text/x-algol68", "text/x-asm", "text/x-awk", "text/x-bcpl", "text/x-bibtex",
        "text/x-c", "text/x-c++", "text/x-diff", "text/x-forth", "text/x-fortran", "text/x-java",
        "text/x-lisp", "text/x-lua", "text/x-m4", "text/x-makefile", "text/x-modulefile",
        "text/x-objective-c", "text/x-pascal", "text/x-perl", "text/x-po", "text/x-python", "text/x-ruby",
        "text/x-sgml", "text/x-tcl", "text/x-tex", "text/x-texinfo", "text/x-vbasic",
        TEXT, _UNKNOWN,
    }
)  # fmt: skip
_ACTIVE: Final = frozenset({"text/html", "image/svg+xml", "application/xhtml+xml"})


def text_type(head: bytes, found: str, name: str | None) -> str | None:
    """Return the media type of a text for which libmagic found ``found``; None if it is no text.

    ``name`` is what the file's name or the sender makes of it, among kinds of text.
    """
    text = decoded(head)
    if text is None:
        return None
    text = text.removeprefix("\ufeff")
    if text.startswith("#!"):
        return found if found not in {TEXT, _UNKNOWN} else "text/x-shellscript"
    start = text.lstrip("\ufeff \t\r\n\f\v")
    begun = _begun(start)
    if begun is not None:
        return (
            "application/vnd.apple.mpegurl" if begun == "audio/x-mpegurl" and "#EXT-X-" in text else begun
        )
    markup = xml_type(start) if start.startswith("<") else None
    if markup is not None:
        return _of_markup(markup, name)
    mail = mail_type(text)
    if mail is not None or found not in _GUESSED:
        return mail or found
    return _by_name(text, found, name)


def _begun(start: str) -> str | None:
    for mark, kind in _STARTS:
        if start.startswith(mark):
            return kind
    return next((kind for pattern, kind in _PATTERNS if pattern.match(start, 0, _LOOKED_AT)), None)


def _of_markup(markup: str, name: str | None) -> str:
    """Let the name choose between the ways to write a page or, for XML of no known kind, its dialect."""
    if markup == "application/xhtml+xml" and name == "text/html":
        return name
    if markup == XML and name is not None and name.endswith("+xml") and name not in _ACTIVE:
        return name
    return markup


def _by_name(text: str, found: str, name: str | None) -> str:
    """Choose by the name; what runs in a browser or shell stays what it is."""
    if name == "text/x-objcsrc" and not _OBJECTIVE_C.search(text, 0, _LOOKED_AT):
        return "text/x-matlab"
    if name is not None and name not in _ACTIVE and (found, name) != ("text/html", TEXT):
        return name
    if found in {"text/x-c", "text/x-c++", TEXT, _UNKNOWN, "text/javascript", "application/json"}:
        return _by_look(text, TEXT if found == _UNKNOWN else found)
    return found


def _by_look(text: str, found: str) -> str:
    """Tell a style sheet, and look twice at what was guessed to be a program."""
    if found == "application/json":
        return found if text.lstrip()[:1] in {"{", "["} else TEXT
    if _is_css(text):
        return "text/css"
    if found.startswith("text/x-c") and not _C_BODY.search(text, 0, _LOOKED_AT):
        return TEXT
    if found == "text/javascript" and _TYPESCRIPT.search(text, 0, _LOOKED_AT):
        return TEXT
    return found


def _is_css(text: str) -> bool:
    at = 0
    while match := _CSS_SKIPPED.match(text, at):
        at = match.end()
    return _CSS.match(text, at) is not None


def named_text(extension: str, claimed: str) -> str | None:
    """Return the kind of text that an extension or, failing that, the sender's claim names."""
    by_name = TEXT_NAMES.get(extension)
    if by_name is not None:
        return by_name
    return claimed if claimed in _CLAIMED else None


_CLAIMED: Final = frozenset(TEXT_NAMES.values()) - _ACTIVE
