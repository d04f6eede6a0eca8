"""Merging of several descriptions of one file."""

from collections.abc import Iterable
from dataclasses import replace

from filebot.model import Offer
from filebot.protocol.file_sharing.sources import MAX_URLS


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


def merged(offers: Iterable[Offer]) -> list[Offer]:
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
