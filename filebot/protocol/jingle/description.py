"""Descriptions and checksums of files in Jingle contents (XEP-0234)."""

import base64
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.model import Entry, Offer
from filebot.protocol.file_sharing.metadata import MAX_SIZE_BYTES, read_hashes, read_metadata
from filebot.protocol.file_sharing.namespaces import HASHES, OLD_HASHES
from filebot.protocol.jingle.namespaces import FILES, OLD_FILES
from filebot.protocol.xml import bounded_int, first, local_name, namespace_of

NAMESPACES: Final = (FILES, OLD_FILES)
"""Namespaces in which files are read, the better one first."""


@dataclass(frozen=True, slots=True)
class Range:
    """A part of a file (XEP-0234, ranged transfers)."""

    offset: int = 0
    length: int | None = None
    """In bytes; None up to the end."""

    def size_in(self, file_bytes: int | None) -> int | None:
        """Return how many bytes the part has in a file of this size; None if that is not known."""
        if file_bytes is None or self.length is not None:
            return self.length
        return file_bytes - self.offset

    def is_in(self, file_bytes: int | None) -> bool:
        """Tell whether the part lies in a file of this size; of one of unknown size, only the whole."""
        return self == Range() if file_bytes is None else self.offset + (self.length or 0) <= file_bytes


@dataclass(frozen=True, slots=True)
class FileDescription:
    """One ``<description/>`` with its one ``<file/>``."""

    offer: Offer = field(default_factory=Offer)
    hash_follows: bool = False
    """A hash is promised after the data: ``<hash-used/>``, or an empty ``<hash/>``."""
    range: Range | None = None
    """In an offer, even an empty one allows to ask for parts."""
    namespace: str = FILES

    def element(self) -> Element:
        """Return it as it goes into a content."""
        description = Element(f"{{{self.namespace}}}description")
        file = SubElement(description, f"{{{self.namespace}}}file")
        facts = (
            ("name", self.offer.name),
            ("size", None if self.offer.size is None else str(self.offer.size)),
            ("media-type", self.offer.media_type),
        )
        for name, value in facts:
            if value is not None:
                SubElement(file, f"{{{self.namespace}}}{name}").text = value
        if self.range is not None:
            numbers = {"offset": str(self.range.offset)} if self.range.offset else {}
            if self.range.length is not None:
                numbers["length"] = str(self.range.length)
            SubElement(file, f"{{{self.namespace}}}range", numbers)
        for algorithm, digest in self.offer.hashes.items():
            text = base64.b64encode(digest).decode("ascii")
            SubElement(file, f"{{{HASHES}}}hash", {"algo": algorithm}).text = text
        return description


def describe(entry: Entry, part: Range | None, namespace: str = FILES) -> FileDescription:
    """Describe a file that the bot sends."""
    offer = Offer(
        name=entry.name,
        size=entry.blob.size,
        media_type=entry.media_type,
        hashes={"sha-256": bytes.fromhex(entry.blob.digest)},
    )
    return FileDescription(offer, range=part, namespace=namespace)


def read_description(description: Element) -> FileDescription:
    """Read a ``<description/>`` of one of :data:`NAMESPACES`. Invalid parts count as missing."""
    namespace = namespace_of(description)
    file = first(description, namespace, "file")
    return FileDescription(
        read_metadata(file),
        hash_follows=file is not None and any(map(_promises_hash, file)),
        range=_read_range(first(file, namespace, "range")),
        namespace=namespace,
    )


def read_checksum(checksum: Element) -> dict[str, bytes]:
    """Read the hashes of known algorithms in a ``<checksum/>`` (XEP-0234, "Checksum")."""
    file = first(checksum, namespace_of(checksum), "file")
    return {} if file is None else read_hashes(file)


def _read_range(element: Element | None) -> Range | None:
    if element is None:
        return None
    offset = bounded_int(element.get("offset", "0"), MAX_SIZE_BYTES)
    return Range(offset or 0, bounded_int(element.get("length"), MAX_SIZE_BYTES))


def _promises_hash(child: Element) -> bool:
    if namespace_of(child) not in {HASHES, OLD_HASHES}:
        return False
    # COMPAT(iris): announces a later checksum by a hash without content.
    return local_name(child) == "hash-used" or (
        local_name(child) == "hash" and not (child.text or "").strip()
    )
