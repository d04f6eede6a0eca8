"""The types that corpora of samples expect of a file name, and which types are the same."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from filebot.filetype.media_types import ALIASES

# Other names of the same format that corpora use, beside those the bot knows.
SAME: Final[Mapping[str, str]] = {
    "application/eps": "application/postscript",
    "application/pem-certificate-chain": "application/x-x509-cert",
    "application/pkcs8": "application/x-x509-cert",
    "application/pkcs8-encrypted": "application/x-x509-cert",
    "application/pkix-cert": "application/x-x509-cert",
    "application/vnd.visio": "application/vnd.ms-visio.drawing",
    "application/vnd.ms-asf": "video/x-ms-asf",
    "audio/x-ms-asf": "video/x-ms-asf",
    "application/warc+gz": "application/gzip",
    "application/x-adobe-indesign": "application/x-indesign",
    "application/x-apple-alias": "application/x-ft-apple.alias",
    "application/x-bentley-dgn": "image/vnd.dgn",
    "application/x-bibtex-text-file": "text/x-bibtex",
    "application/x-cfb": "application/x-tika-msoffice",
    "application/x-chrome-extension": "application/x-google-chrome-extension",
    "application/x-deb": "application/vnd.debian.binary-package",
    "application/x-draco": "application/x-ft-draco",
    "application/x-esri-shape": "application/vnd.shp",
    "application/x-fbx": "application/x-ft-fbx",
    "application/x-grib2": "application/x-grib",
    "application/x-hdf": "application/x-hdf5",
    "application/x-ia-arc": "application/x-internet-archive",
    "application/x-isatab": "text/plain",
    "application/x-isatab-assay": "text/plain",
    "application/x-isatab-investigation": "text/plain",
    "application/x-java-jnilib": "application/x-mach-binary",
    "application/x-nes-rom": "application/x-nintendo-nes-rom",
    "application/x-ole-storage": "application/x-tika-msoffice",
    "application/x-pem-file": "application/x-x509-cert",
    "application/x-rar-compressed": "application/vnd.rar",
    "application/x-tika-msworks-spreadsheet": "application/vnd.ms-works",
    "application/x-tika-java-enterprise-archive": "application/java-archive",
    "application/x-tika-java-web-archive": "application/java-archive",
    "application/x-windows-registry-hive": "application/x-ft-windows-registry-hive",
    "audio/ape": "audio/x-ape",
    "audio/opus": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "audio/x-aac": "audio/aac",
    "image/j2c": "image/x-jp2-codestream",
    "image/mj2": "video/mj2",
    "image/vnd.ms-photo": "image/jxr",
    "image/aces": "image/x-exr",
    "application/x-shapefile": "application/vnd.shp",
    "application/x-sh": "text/x-shellscript",
    "video/x-flc": "video/x-fli",
    "application/vnd.ms-outlook-pst": "application/vnd.ms-outlook",
    "image/x-bpg": "image/bpg",
    "image/x-fujifilm-raf": "image/x-fuji-raf",
    "image/x-raw-adobe": "image/x-adobe-dng",
    "image/x-raw-nikon": "image/x-nikon-nef",
    "image/x-raw-pentax": "image/x-pentax-pef",
    "image/x-raw-sony": "image/x-sony-arw",
    "model/x.stl-binary": "model/stl",
    "multipart/related": "message/rfc822",
    "application/x-ms-regedit": "text/x-ms-regedit",
    "application/vnd.ms-package.3dmanufacturing-3dmodel+xml": "model/3mf",
    "application/x-hwp-v5": "application/x-hwp",
}

EXCEPTIONS: Final[Mapping[str, str]] = {
    "fixture-json.webp": "application/json by its content; a test of a name that lies",
    "testAppleSingleFile.pdf": "application/applefile that carries a PDF",
    "testDigilite.fdf": "- four bytes of noise",
    "testGRAPHVIZd.dot": "text/vnd.graphviz, no template of Word",
    "testGRAPHVIZdc.dot": "text/vnd.graphviz, no template of Word",
    "testGRAPHVIZg.dot": "text/vnd.graphviz, no template of Word",
    "testLotus123.wks": "application/vnd.lotus-1-2-3, no table of Works",
    "testMATLAB.m": "text/x-matlab, no Objective-C",
    "testMATLAB_barcast.m": "text/x-matlab, no Objective-C",
    "testMATLAB_wtsgaus.m": "text/x-matlab, no Objective-C",
    "testMYSQL.frm": "- a table's definition of MySQL, no form of Visual Basic",
    "testMessageNews.txt": "message/news in a text file",
    "testODTnotaZipFile.odt": "text/plain, as the name says",
    "testPKCS7_signed_data_def.pem": "application/pkcs7-mime, no certificate",
    "testPPT.thmx": "application/vnd.ms-officetheme, no presentation",
    "testRFC822_simple_inline_body.txt": "message/rfc822 in a text file",
    "testSVG.svgz": "application/gzip: what is in it does not matter to who gets it",
    "testVORCalcTemplate.vor": "application/vnd.stardivision.calc: the template of a table",
    "testVORDrawTemplate.vor": "application/vnd.stardivision.draw: the template of a drawing",
    "testVORImpressTemplate.vor": "application/vnd.stardivision.impress: the template of slides",
    "testVORWriterTemplate.vor": "application/vnd.stardivision.writer: the template of a text",
    "testWORDML_tableInsideParagraph.doc": "application/vnd.ms-wordml, which is XML",
    "test_ignore_IBM420.html": "- in a code page of mainframes, as the name says",
}
"""For samples whose name lies the type and the reason; "-" if the sample is of no known type at all."""

_ALIASES: dict[str, str] = {}


def canonical(media_type: str) -> str:
    """Return one name for all names of a type."""
    lower = media_type.partition(";")[0].strip().lower()
    for table in (_ALIASES, SAME, ALIASES, SAME):
        lower = table.get(lower, lower).lower()
    return lower


class TikaNames:
    """Names, aliases and hierarchy of ``tika-mimetypes.xml``."""

    def __init__(self, folder: Path) -> None:
        file = folder / "tika-core/src/main/resources/org/apache/tika/mime/tika-mimetypes.xml"
        self._suffixes: dict[str, str] = {}
        self._patterns: list[tuple[str, str]] = []
        supertypes: dict[str, str] = {}
        for element in ET.parse(file).getroot().iter("mime-type"):
            kind = element.attrib["type"]
            for alias in element.iter("alias"):
                _ALIASES.setdefault(alias.attrib["type"].lower(), kind.lower())
            for glob in element.iter("glob"):
                self._add(glob.attrib["pattern"], kind, glob.get("isregex") == "true")
            for parent in element.iter("sub-class-of"):
                supertypes[kind] = parent.attrib["type"]
        self._supertypes = {canonical(kind): canonical(parent) for kind, parent in supertypes.items()}

    def _add(self, pattern: str, kind: str, is_regex: bool) -> None:
        if is_regex:
            return
        if pattern.startswith("*.") and not set(pattern[1:]) & set("*?["):
            self._suffixes[pattern[1:].lower()] = kind
        else:
            self._patterns.append((pattern, kind))

    def of_name(self, name: str) -> set[str]:
        """Return the type of the pattern that fits a name, if any."""
        for pattern, kind in self._patterns:
            if fnmatchcase(name, pattern):
                return {kind}
        suffixes = ["." + rest for rest in _rests(name.lower())]
        found = next((self._suffixes[suffix] for suffix in suffixes if suffix in self._suffixes), None)
        return {found} if found not in {None, "application/octet-stream"} else set()

    def supertypes(self, kind: str) -> list[str]:
        """Return the types that a type is a kind of, without plain text and data."""
        found: list[str] = []
        ends = {"", "text/plain", "application/octet-stream"}
        while (kind := self._supertypes.get(kind, "")) not in ends and kind not in found:
            found.append(kind)
        return found

    def is_text(self, kind: str) -> bool:
        """Return whether a type is some kind of text."""
        return any(
            each.startswith("text/") or self._supertypes.get(each) == "text/plain"
            for each in (kind, *self.supertypes(kind))
        )


def _rests(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(1, len(parts))]


class FileTypeNames:
    """Extensions and types in the source of file-type."""

    def __init__(self, folder: Path) -> None:
        self._types: dict[str, set[str]] = {}
        for file in sorted((folder / "source").rglob("*.js")):
            for ext, kind in re.findall(r"ext: '([^']+)',\s*mime: '([^']+)'", file.read_text()):
                self._types.setdefault(ext.lower(), set()).add(kind)

    def of_name(self, name: str) -> set[str]:
        """Return the types of the name's extension: HEIF pictures of one extension are of several types."""
        return next((self._types[rest] for rest in _rests(name.lower()) if rest in self._types), set())
