"""One ``<message/>`` -> what it shares. Total: whatever a peer sends, the answer is a value.

The same file is often named two or three times in one message (XEP-0066 for all, XEP-0447 for Dino and
Kaidan, XEP-0385 for Psi, Movim and Cheogram). A URL tells that they are one; what is said first holds, and
the extensions are asked in the order of how much they say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import Offer
from filebot.protocol.file_sharing.metadata import read_metadata
from filebot.protocol.file_sharing.namespaces import (
    ATTACH,
    ESFS,
    FALLBACK,
    FEATURE_FALLBACK,
    FILEBOT,
    JINGLE_FILES,
    METADATA,
    OOB,
    REFERENCE,
    REPLY,
    SFS,
    SIMS,
    URL_DATA,
)
from filebot.protocol.xml import bounded_int, first, local_name, named, namespace_of

MAX_OFFERS: Final = 64
"""Files of one message that are read; beyond, they are only counted."""
MAX_ID: Final = 1024
"""Characters of an id that is kept."""
LONGEST_JID: Final = 3071
"""Characters (RFC 7622 section 3.1)."""
MAX_URLS: Final = 8
"""Sources kept of one file."""
MAX_URL: Final = 8192
"""Characters. RFC 9110 section 4.1 asks for 8,000 at least."""

_FILES: Final = frozenset({OOB, SFS, SIMS, REFERENCE})
"""Extensions whose fallback text is not needed once the files themselves were read."""
_FALLBACKS: Final = frozenset({f"{{{FALLBACK}}}fallback", f"{{{FEATURE_FALLBACK}}}fallback"})
_QUOTES: Final = frozenset({REPLY})
"""The quotation before a reply (XEP-0461 section 3.1): somebody else's words."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """The sources of one file, in the peer's order."""

    urls: tuple[str, ...] = ()
    """Plain bytes."""
    encrypted_urls: tuple[str, ...] = ()
    """Encrypted bytes, whose keys are in the message (XEP-0448, 0454)."""
    encrypted: bool = False
    """Whether there is an encrypted source, with a URL or without."""


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
    replies_to_author: str = ""
    """The address of that message's author, as this one names it."""
    encrypted_urls: tuple[str, ...] = ()
    """Where encrypted bytes are. Never to be fetched as if they were the file."""
    by_bot: bool = False
    """A filebot posted it; see :func:`filebot.protocol.file_sharing.write.mark_of_bot`."""

    @property
    def may_join(self) -> bool:
        """Whether it has anything that an earlier or a later message could belong to."""
        return bool(self.offers or self.announced or self.attached or self.encrypted_urls)


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
    hidden = {*filter(_is_encrypted_url, oob), *(url for each in described for url in each.encrypted_urls)}
    offers = _merged(
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
            or any(map(_is_encrypted_url, oob))
            or any(each.encrypted and not each.offer.urls for each in described),
            announced=tuple(announced[:MAX_OFFERS]),
            attached=attached,
            replies_to=_replies_to(message),
            replies_to_author=_replies_to_author(message),
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
        return replace(shared, text=_without_fallback(message, _QUOTES))
    named_urls = {url for offer in shared.offers for url in offer.urls}
    text = _without_fallback(message, _FILES | _QUOTES)
    return replace(shared, text=_without_urls(text, frozenset({*named_urls, *shared.encrypted_urls})))


def _awaits(described: _Described) -> bool:
    return not described.offer.urls and not described.encrypted


def _encrypted_body(message: Element) -> bool:
    """An aesgcm URL, perhaps with a thumbnail in the next line (XEP-0454 section 3)."""
    first_word, *others = _body_of(message).split(maxsplit=2) or [""]
    return _is_encrypted_url(first_word) and all(other.startswith("data:") for other in others)


def _oob(message: Element) -> list[str]:
    found = (first(x, OOB, "url") for x in named(message, OOB, "x"))
    urls = (_sane_url(url.text) for url in found if url is not None)
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
    found = _read_sources(sources)
    offer = replace(read_metadata(file), urls=found.urls)
    return _Described(file_id, offer, found.encrypted, found.encrypted_urls)


def _attached(message: Element) -> Attached | None:
    attach_to = first(message, ATTACH, "attach-to")
    if attach_to is None or not _id_of(attach_to):
        return None
    sources = ((_id_of(each), _read_sources(each).urls) for each in named(message, SFS, "sources"))
    return Attached(_id_of(attach_to), tuple(sources)[:MAX_OFFERS])


def _replies_to(message: Element) -> str:
    reply = first(message, REPLY, "reply")
    return "" if reply is None else reply.get("id", "")[:MAX_ID]


def _replies_to_author(message: Element) -> str:
    reply = first(message, REPLY, "reply")
    author = "" if reply is None else reply.get("to", "")
    return author if len(author) <= LONGEST_JID else ""


def _id_of(element: Element) -> str:
    # COMPAT(Dino): qualifies the attribute of <attach-to/> with the element's own namespace.
    return (element.get("id") or element.get(f"{{{namespace_of(element)}}}id") or "")[:MAX_ID]


# --- sources ---------------------------------------------------------------------------------------


def _sane_url(text: str | None) -> str | None:
    """``text`` as a URL of any scheme, or None if it cannot be one."""
    url = (text or "").strip()
    fits = (
        0 < len(url) <= MAX_URL and ":" in url and not any(c.isspace() or not c.isprintable() for c in url)
    )
    return url if fits else None


def _is_encrypted_url(url: str) -> bool:
    """Whether it is a URL with the key in its fragment (XEP-0454 section 3)."""
    return url[:10].lower().startswith("aesgcm://")


def _sorted_out(urls: Iterable[str | None]) -> _Sources:
    """Plain and encrypted URLs apart, each once."""
    usable = dict.fromkeys(url for url in urls if url is not None)
    plain = tuple(url for url in usable if not _is_encrypted_url(url))
    hidden = tuple(url for url in usable if _is_encrypted_url(url))
    return _Sources(plain[:MAX_URLS], hidden[:MAX_URLS], encrypted=bool(hidden))


def _read_sources(parent: Element | None) -> _Sources:
    """Read a ``<sources/>`` element of SFS or SIMS. Sources without a URL are skipped."""
    if parent is None:
        return _Sources()
    plain = _sorted_out(_sane_url(_url_of(child)) for child in parent)
    encrypted = list(named(parent, ESFS, "encrypted"))
    hidden = (url for each in encrypted for url in _inside(each))
    return _Sources(
        plain.urls,
        tuple(dict.fromkeys((*plain.encrypted_urls, *hidden)))[:MAX_URLS],
        encrypted=plain.encrypted or bool(encrypted),
    )


def _inside(encrypted: Element) -> tuple[str, ...]:
    """The URLs of an ESFS source (XEP-0448 section 3)."""
    inner = first(encrypted, SFS, "sources")
    if inner is None:
        return ()
    return _sorted_out(_sane_url(_url_of(child)) for child in inner).urls


def _url_of(source: Element) -> str | None:
    if source.tag == f"{{{URL_DATA}}}url-data":
        return source.get("target")
    if source.tag == f"{{{REFERENCE}}}reference":
        return source.get("uri")
    return None


# --- several descriptions of one file --------------------------------------------------------------


def combined(told: Offer, more: Offer) -> Offer:
    """Merge two descriptions of a file; where both say something, ``told`` wins."""
    return replace(
        told,
        urls=tuple(dict.fromkeys((*told.urls, *more.urls)))[:MAX_URLS],
        name=told.name or more.name,
        size=more.size if told.size is None else told.size,
        media_type=told.media_type or more.media_type,
        hashes={**more.hashes, **told.hashes},
        description=told.description or more.description,
        width=told.width or more.width,
        height=told.height or more.height,
    )


def _merged(offers: Iterable[Offer]) -> list[Offer]:
    """Return the files in their order, merged where they share a URL."""
    files: list[Offer] = []
    at: dict[str, int] = {}
    for offer in offers:
        place = next((at[url] for url in offer.urls if url in at), None)
        if place is None:
            place = len(files)
            files.append(offer)
        else:
            files[place] = combined(files[place], offer)
        for url in offer.urls:
            at.setdefault(url, place)
    return files


# --- text ------------------------------------------------------------------------------------------


def _body_of(message: Element) -> str:
    """The body as it stands; empty if there is none."""
    body = first(message, namespace_of(message), "body")
    return "" if body is None else body.text or ""


def _without_fallback(message: Element, fallback_for: frozenset[str]) -> str:
    """The body without the ranges marked as fallback for one of these namespaces, stripped."""
    body = _body_of(message)
    kept, position = [], 0
    for start, end in sorted(_ranges(message, fallback_for, len(body))):
        kept.append(body[position:start])
        position = max(position, end)
    kept.append(body[position:])
    return "".join(kept).strip()


def _without_urls(text: str, urls: frozenset[str]) -> str:
    """``text`` without the lines that are nothing but one of these URLs."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in urls).strip()


def _ranges(message: Element, fallback_for: frozenset[str], length: int) -> list[tuple[int, int]]:
    """From a codepoint to the one after the last; XEP-0426 counts as Python does."""
    found = []
    for fallback in (each for each in message if each.tag in _FALLBACKS):
        if fallback.get("for") not in fallback_for:
            continue
        if len(fallback) == 0:  # no children: the whole of every body (XEP-0428 section 2.2)
            found.append((0, length))
        for part in named(fallback, namespace_of(fallback), "body"):
            start = bounded_int(part.get("start", "0"), length)
            # Some clients end one after the last character of a body that the server stripped.
            end = bounded_int(part.get("end", str(length)), 2**31)
            if start is not None and end is not None and start < end:
                found.append((start, min(end, length)))
    return found
