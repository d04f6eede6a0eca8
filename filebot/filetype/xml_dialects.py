"""XML dialects, told by their root element and its namespace."""

import re
from collections.abc import Mapping
from typing import Final

XML: Final = "application/xml"

_ODF: Final = "application/vnd.oasis.opendocument."
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"

_DIALECTS: Final[Mapping[tuple[str, str], str]] = {
    ("svg", "http://www.w3.org/2000/svg"): "image/svg+xml",
    ("html", "http://www.w3.org/1999/xhtml"): "application/xhtml+xml",
    ("feed", "http://www.w3.org/2005/Atom"): "application/atom+xml",
    ("package", "http://www.idpf.org/2007/opf"): "application/oebps-package+xml",
    ("theme", "http://schemas.openxmlformats.org/drawingml/2006/main"): "application/vnd.ms-officetheme",
    ("feed", "http://purl.org/atom/ns#"): "application/atom+xml",
    ("RDF", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"): "application/rdf+xml",
    ("xdp", "http://ns.adobe.com/xdp/"): "application/vnd.adobe.xdp+xml",
    ("xfdf", "http://ns.adobe.com/xfdf/"): "application/vnd.adobe.xfdf",
    ("presentation", "http://developer.apple.com/namespaces/keynote2"): "application/vnd.apple.keynote",
    ("document", "http://developer.apple.com/namespaces/sl"): "application/vnd.apple.pages",
    ("document", "http://developer.apple.com/namespaces/ls"): "application/vnd.apple.numbers",
    ("tt", "http://www.w3.org/ns/ttml"): "application/ttml+xml",
    ("stylesheet", "http://www.w3.org/1999/XSL/Transform"): "application/xslt+xml",
    ("transform", "http://www.w3.org/1999/XSL/Transform"): "application/xslt+xml",
    ("root", "http://www.w3.org/1999/XSL/Format"): "application/xslfo+xml",
    ("playlist", "http://xspf.org/ns/0/"): "application/xspf+xml",
    ("FictionBook", "http://www.gribuser.ru/xml/fictionbook/2.0"): "application/x-fictionbook+xml",
    ("wordDocument", "http://schemas.microsoft.com/office/word/2003/wordml"): "application/vnd.ms-wordml",
    ("Workbook", "urn:schemas-microsoft-com:office:spreadsheet"): "application/vnd.ms-spreadsheetml",
    ("package", "http://schemas.microsoft.com/office/2006/xmlPackage"): "application/vnd.ms-word2006ml",
    ("MD_Metadata", "http://www.isotc211.org/2005/gmd"): "text/iso19139+xml",
    ("mxfile", ""): "application/vnd.jgraph.mxfile",
    ("math", "http://www.w3.org/1998/Math/MathML"): "application/mathml+xml",
    ("score-partwise", ""): "application/vnd.recordare.musicxml+xml",
    ("score-timewise", ""): "application/vnd.recordare.musicxml+xml",
    ("gpx", "http://www.topografix.com/GPX/1/1"): "application/gpx+xml",
    ("gpx", "http://www.topografix.com/GPX/1/0"): "application/gpx+xml",
    ("COLLADA", "http://www.collada.org/2005/11/COLLADASchema"): "model/vnd.collada+xml",
    ("MPD", "urn:mpeg:dash:schema:mpd:2011"): "application/dash+xml",
    ("X3D", ""): "model/x3d+xml",
}
# Whatever the namespace, and even without one.
_ROOTS: Final[Mapping[str, str]] = {
    "rss": "application/rss+xml",
    "kml": "application/vnd.google-earth.kml+xml",
    "svg": "image/svg+xml",
    "html": "text/html",
    "xliff": "application/x-xliff+xml",
    "tmx": "application/x-tmx",
    "smil": "application/smil+xml",
    "plist": "application/x-plist",
    "opml": "text/x-opml",
    "asx": "application/x-ms-asx",
    "dif": "application/dif+xml",
    "amf": "application/x-amf",
    "stata_dta": "application/x-stata-dta",
    "onixmessage": "application/onix-message+xml",
    "newsmessage": "application/vnd.iptc.g2.newsmessage+xml",
    "xmpmeta": "application/rdf+xml",
    "md_metadata": "text/iso19139+xml",
    "worddocument": "application/vnd.ms-wordml",
    "fictionbook": "application/x-fictionbook+xml",
}
# HTML that begins with no <html>: what browsers take for a page (WHATWG mimesniff 7.1).
_HTML_TAGS: Final = frozenset(
    {
        "a", "b", "body", "br", "div", "font", "frameset", "h1", "head", "html", "iframe", "link", "meta",
        "p", "script", "style", "table", "title",
    }
)  # fmt: skip
_FLAT: Final = re.compile(r"""mimetype\s*=\s*["']([^"'\s]{1,120})["']""")
_SKIPPED: Final = re.compile(
    r"\s+|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ROOT: Final = re.compile(
    r"<(?:([A-Za-z_][\w.\-]*):)?([A-Za-z_][\w.\-]*)((?:\s[^<]*?)?)(/?>|$|(?=<))", re.DOTALL
)
_DITA: Final = re.compile(r"-//OASIS//DTD DITA |ditaarch:DITAArchVersion")
_HTML_DOCTYPE: Final = re.compile(r"<!DOCTYPE\s+html", re.IGNORECASE)


def xml_type(text: str) -> str | None:
    """Return the media type of a text that begins as XML or HTML, else None."""
    at = 0
    is_xml = False
    is_html = False
    while match := _SKIPPED.match(text, at):
        is_xml |= match[0].startswith("<?xml")
        is_html |= _HTML_DOCTYPE.match(match[0]) is not None
        at = match.end()
    if _DITA.search(text, 0, at + 1000):
        return "application/dita+xml"
    root = _ROOT.match(text, at)
    if root is None:
        return "text/html" if is_html else XML if is_xml else None
    prefix, name, attributes, _ = root.groups()
    namespace = _namespace(attributes, prefix)
    found = _dialect(name, namespace, attributes)
    if found in {None, "text/html"}:
        if is_html or (not is_xml and _is_page(name, namespace)):
            return "text/html"
        is_xml = is_xml or bool(namespace) or _is_closed(text, name)
        return found or (XML if is_xml else None)
    return found


def _is_page(name: str, namespace: str) -> bool:
    return name.lower() == "html" or (name.lower() in _HTML_TAGS and not namespace)


def _dialect(name: str, namespace: str, attributes: str) -> str | None:
    if namespace == _OFFICE and name == "document":
        flat = _FLAT.search(attributes)
        if flat and flat[1].startswith(_ODF):
            return _ODF + "flat." + flat[1].removeprefix(_ODF)
    return _DIALECTS.get((name, namespace)) or _ROOTS.get(name.lower())


def _namespace(attributes: str, prefix: str | None) -> str:
    wanted = f"xmlns:{re.escape(prefix)}" if prefix else "xmlns"
    found = re.search(rf"""(?<![\w:]){wanted}\s*=\s*["']([^"']{{0,300}})["']""", attributes)
    return found[1] if found else ""


def _is_closed(text: str, name: str) -> bool:
    return f"</{name}>" in text or f":{name}>" in text[-200:]
