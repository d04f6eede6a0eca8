"""Where the bytes of a file can be had: the ``<sources/>`` of XEP-0447, 0385 and 0448."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from filebot.protocol.file_sharing.namespaces import ESFS, REFERENCE, SFS, URL_DATA
from filebot.protocol.xml import first, named

MAX_URLS: Final = 8
"""Sources kept of one file."""
MAX_URL: Final = 8192
"""Characters. RFC 9110 section 4.1 asks for 8,000 at least."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one file, in the peer's order."""

    urls: tuple[str, ...] = ()
    """Plain bytes."""
    encrypted_urls: tuple[str, ...] = ()
    """Encrypted bytes, whose keys are in the message (XEP-0448, 0454)."""
    encrypted: bool = False
    """Whether there is an encrypted source, with a URL or without."""


def sane_url(text: str | None) -> str | None:
    """``text`` as a URL of any scheme, or None if it cannot be one."""
    url = (text or "").strip()
    fits = (
        0 < len(url) <= MAX_URL and ":" in url and not any(c.isspace() or not c.isprintable() for c in url)
    )
    return url if fits else None


def is_encrypted_url(url: str) -> bool:
    """Whether it is a URL with the key in its fragment (XEP-0454 section 3)."""
    return url[:10].lower().startswith("aesgcm://")


def sorted_out(urls: Iterable[str | None]) -> Sources:
    """Plain and encrypted URLs apart, each once."""
    usable = dict.fromkeys(url for url in urls if url is not None)
    plain = tuple(url for url in usable if not is_encrypted_url(url))
    hidden = tuple(url for url in usable if is_encrypted_url(url))
    return Sources(plain[:MAX_URLS], hidden[:MAX_URLS], encrypted=bool(hidden))


def read_sources(parent: Element | None) -> Sources:
    """Read a ``<sources/>`` element of SFS or SIMS. Sources without a URL are skipped."""
    if parent is None:
        return Sources()
    plain = sorted_out(sane_url(_url_of(child)) for child in parent)
    encrypted = list(named(parent, ESFS, "encrypted"))
    hidden = (url for each in encrypted for url in _inside(each))
    return Sources(
        plain.urls,
        tuple(dict.fromkeys((*plain.encrypted_urls, *hidden)))[:MAX_URLS],
        encrypted=plain.encrypted or bool(encrypted),
    )


def _inside(encrypted: Element) -> tuple[str, ...]:
    """The URLs of an ESFS source (XEP-0448 section 3)."""
    inner = first(encrypted, SFS, "sources")
    if inner is None:
        return ()
    return sorted_out(sane_url(_url_of(child)) for child in inner).urls


def _url_of(source: Element) -> str | None:
    if source.tag == f"{{{URL_DATA}}}url-data":
        return source.get("target")
    if source.tag == f"{{{REFERENCE}}}reference":
        return source.get("uri")
    return None
