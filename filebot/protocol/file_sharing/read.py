"""One ``<message/>`` -> what it shares. Total: whatever a peer sends, the answer is a value.

The same file is often named two or three times in one message (XEP-0066 for all, XEP-0447 for Dino and
Kaidan, XEP-0385 for Psi, Movim and Cheogram). A URL tells that they are one; what is said first holds, and
the extensions are asked in the order of how much they say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import Offer
from filebot.protocol.file_sharing import fallback_text as words
from filebot.protocol.file_sharing.merge import combined, merged
from filebot.protocol.file_sharing.metadata import read_metadata
from filebot.protocol.file_sharing.namespaces import (
    ATTACH,
    FILEBOT,
    JINGLE_FILES,
    METADATA,
    OOB,
    REFERENCE,
    REPLY,
    SFS,
    SIMS,
)
from filebot.protocol.file_sharing.sources import (
    is_encrypted_url,
    read_sources,
    sane_url,
)
from filebot.protocol.xml import first, local_name, named, namespace_of

MAX_OFFERS: Final = 64
"""Files of one message that are read; beyond, they are only counted."""
MAX_ID: Final = 1024
"""Characters of an id that is kept."""


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """A file whose sources come in a later message (XEP-0447 section 3.3)."""

    file_id: str
    """The ``id`` of its ``<file-sharing/>``; empty where there is none."""
    offer: Offer
    """Without URLs."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The message belongs to an earlier one (XEP-0367)."""

    message_id: str
    """The origin-id (else the id) of that message in a 1:1 chat, its stanza-id in a room."""
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For each ``<sources/>`` the ``id`` of its file and its URLs."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Files, sources and text of one message."""

    offers: tuple[Offer, ...] = ()
    """Files that can be fetched, at most ``MAX_OFFERS``; each has a URL, of any scheme."""
    offered: int = 0
    """Number of files in the message, including those not read."""
    text: str = ""
    """The body without fallback for files or replies, and without lines that only repeat a file's URL."""
    encrypted: bool = False
    """Some file is there only in encrypted form (XEP-0448, XEP-0454)."""
    announced: tuple[AnnouncedFile, ...] = ()
    attached: Attached | None = None
    replies_to: str = ""
    """The id of the message that this one is a reply to (XEP-0461)."""
    encrypted_urls: tuple[str, ...] = ()
    """Where encrypted bytes are. Never to be fetched as if they were the file."""
    by_bot: bool = False
    """A filebot posted it; see :func:`filebot.protocol.file_sharing.write.mark_of_bot`."""


@dataclass(frozen=True, slots=True)
class _Described:
    file_id: str
    offer: Offer
    encrypted: bool
    encrypted_urls: tuple[str, ...]


def read(message: Element) -> Shared:
    """Return what the message shares. Never raises."""
    described = [*_sfs(message), *_sims(message)]
    attached = _attached(message)
    oob = _oob(message)
    hidden = {*filter(is_encrypted_url, oob), *(url for each in described for url in each.encrypted_urls)}
    offers = merged(
        [
            *(each.offer for each in described if each.offer.urls),
            *(Offer(urls=urls) for _, urls in (attached.sources if attached else ()) if urls),
            # COMPAT(Kaidan): the OOB URL of an encrypted file is that of its encrypted bytes.
            *(Offer(urls=(url,)) for url in oob if url not in hidden),
        ]
    )
    announced = [AnnouncedFile(each.file_id, each.offer) for each in described if _awaits(each)]
    if len(announced) == len(offers) == 1 and not any(each.offer.urls for each in described):
        # One description without a source beside one URL without a description.
        offers, announced = [combined(announced[0].offer, offers[0])], []
    in_body = _encrypted_body(message)
    return _with_text(
        message,
        Shared(
            offers=tuple(offers[:MAX_OFFERS]),
            offered=len(offers),
            encrypted=in_body
            or any(map(is_encrypted_url, oob))
            or any(each.encrypted and not each.offer.urls for each in described),
            announced=tuple(announced[:MAX_OFFERS]),
            attached=attached,
            replies_to=_replies_to(message),
            encrypted_urls=tuple(hidden),
            by_bot=first(message, FILEBOT, "posted") is not None,
        ),
        in_body=in_body,
    )


def _with_text(message: Element, shared: Shared, *, in_body: bool) -> Shared:
    if in_body:
        return shared
    has_files = bool(shared.offers or shared.announced or shared.encrypted)
    if not has_files:
        return replace(shared, text=words.without_fallback(message, words.QUOTES))
    named_urls = {url for offer in shared.offers for url in offer.urls}
    text = words.without_fallback(message, words.FILES | words.QUOTES)
    return replace(shared, text=words.without_urls(text, frozenset({*named_urls, *shared.encrypted_urls})))


def _awaits(described: _Described) -> bool:
    return not described.offer.urls and not described.encrypted


def _encrypted_body(message: Element) -> bool:
    """An aesgcm URL, perhaps with a thumbnail in the next line (XEP-0454 section 3)."""
    first_word, *others = words.body_of(message).split(maxsplit=2) or [""]
    return is_encrypted_url(first_word) and all(other.startswith("data:") for other in others)


def _oob(message: Element) -> list[str]:
    found = (first(x, OOB, "url") for x in named(message, OOB, "x"))
    urls = (sane_url(url.text) for url in found if url is not None)
    return list(dict.fromkeys(url for url in urls if url is not None))


def _sfs(message: Element) -> Iterator[_Described]:
    for sharing in named(message, SFS, "file-sharing"):
        file = first(sharing, METADATA, "file")
        yield _described(_id_of(sharing), file, first(sharing, SFS, "sources"))


def _sims(message: Element) -> Iterator[_Described]:
    for reference in named(message, REFERENCE, "reference"):
        for sharing in named(reference, SIMS, "media-sharing"):
            file = next((child for child in sharing if _is_jingle_file(child)), None)
            found = _described("", file, first(sharing, SIMS, "sources"))
            if not _awaits(found):  # SIMS knows no later sources
                yield found


def _is_jingle_file(element: Element) -> bool:
    return local_name(element) == "file" and namespace_of(element) in JINGLE_FILES


def _described(file_id: str, file: Element | None, sources: Element | None) -> _Described:
    found = read_sources(sources)
    offer = replace(read_metadata(file), urls=found.urls)
    return _Described(file_id, offer, found.encrypted, found.encrypted_urls)


def _attached(message: Element) -> Attached | None:
    attach_to = first(message, ATTACH, "attach-to")
    if attach_to is None or not _id_of(attach_to):
        return None
    sources = ((_id_of(each), read_sources(each).urls) for each in named(message, SFS, "sources"))
    return Attached(_id_of(attach_to), tuple(sources)[:MAX_OFFERS])


def _replies_to(message: Element) -> str:
    reply = first(message, REPLY, "reply")
    return "" if reply is None else reply.get("id", "")[:MAX_ID]


def _id_of(element: Element) -> str:
    # COMPAT(Dino): qualifies the attribute of <attach-to/> with the element's own namespace.
    return (element.get("id") or element.get(f"{{{namespace_of(element)}}}id") or "")[:MAX_ID]
