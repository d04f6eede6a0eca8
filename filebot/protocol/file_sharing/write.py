"""The message that every client shows as a file.

The body is the URL and nothing else: Conversations, Dino, Gajim, Monal and Siskin show a file only where
the body equals the URL of XEP-0066, and clients without any of it show a link. Dino and Kaidan read
XEP-0447, Psi, Movim and Cheogram XEP-0385; Dino and Psi ignore a file without a hash that they know.
"""

import base64
from collections.abc import Iterator
from datetime import UTC
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.model import Entry
from filebot.protocol.file_sharing.namespaces import (
    FALLBACK,
    FILEBOT,
    HASHES,
    HINTS,
    JINGLE_FILE,
    METADATA,
    OOB,
    REFERENCE,
    SCHEMA_ORG,
    SFS,
    SIMS,
    URL_DATA,
)

_SHOWN_INLINE: Final = ("image/", "audio/", "video/")


def outgoing(entry: Entry, url: str) -> tuple[str, list[Element]]:
    """The body and the other children of the message that offers ``entry`` at ``url``.

    The caller adds the ids (XEP-0359). A caption goes into a message of its own. Where there is no room for
    all children, the last ones can be left out: each stands behind what it needs.
    """
    store = Element(f"{{{HINTS}}}store")
    children = [_oob(url), store, mark_of_bot(), _sfs(entry, url), _fallback(), _sims(entry, url)]
    return url, children


def mark_of_bot() -> Element:
    """The mark by which a filebot, also another one, knows a file that a filebot has posted."""
    return Element(f"{{{FILEBOT}}}posted")


def _oob(url: str) -> Element:
    x = Element(f"{{{OOB}}}x")
    SubElement(x, f"{{{OOB}}}url").text = url
    return x


def _sfs(entry: Entry, url: str) -> Element:
    disposition = "inline" if entry.media_type.startswith(_SHOWN_INLINE) else "attachment"
    sharing = Element(f"{{{SFS}}}file-sharing", {"disposition": disposition})
    sharing.append(_file(entry, METADATA, METADATA))
    sources = SubElement(sharing, f"{{{SFS}}}sources")
    SubElement(sources, f"{{{URL_DATA}}}url-data", {"target": url})
    return sharing


def _sims(entry: Entry, url: str) -> Element:
    reference = _reference(url)
    sharing = SubElement(reference, f"{{{SIMS}}}media-sharing")
    # XEP-0234 knows no dimensions. COMPAT(Cheogram): reads them in the namespace of schema.org.
    sharing.append(_file(entry, JINGLE_FILE, SCHEMA_ORG))
    sources = SubElement(sharing, f"{{{SIMS}}}sources")
    sources.append(_reference(url, uri=url))
    return reference


def _reference(body: str, **attributes: str) -> Element:
    """Return a reference to the whole body (XEP-0372): ``begin`` and ``end`` count its code points."""
    # COMPAT(Converse.js, 14): writes the referenced text once more for each reference, in the place of link
    # and picture, unless it finds no element with the id of the anchor. Others do not read the anchor.
    place = {"type": "data", "anchor": "body", "begin": "0", "end": str(len(body))}
    return Element(f"{{{REFERENCE}}}reference", {**place, **attributes})


def _fallback() -> Element:
    # COMPAT(Dino, Kaidan): a body marked so is dropped unless XEP-0447 stands beside it.
    fallback = Element(f"{{{FALLBACK}}}fallback", {"for": SFS})
    SubElement(fallback, f"{{{FALLBACK}}}body")
    return fallback


def _file(entry: Entry, namespace: str, dimensions: str) -> Element:
    file = Element(f"{{{namespace}}}file")
    for name, value in _facts(entry):
        SubElement(file, f"{{{namespace}}}{name}").text = value
    if entry.width is not None and entry.height is not None:
        SubElement(file, f"{{{dimensions}}}width").text = str(entry.width)
        SubElement(file, f"{{{dimensions}}}height").text = str(entry.height)
    digest = SubElement(file, f"{{{HASHES}}}hash", {"algo": "sha-256"})
    digest.text = base64.b64encode(bytes.fromhex(entry.blob.digest)).decode()
    return file


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "name", entry.name
    yield "size", str(entry.blob.size)
    yield "media-type", entry.media_type
    # XEP-0082; XEP-0446 means the time of the last change, and a stored file never changes.
    yield "date", entry.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
