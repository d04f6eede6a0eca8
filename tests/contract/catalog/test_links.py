"""Contract of ``Links``."""

from datetime import UTC, datetime, timedelta

from filebot.model import Link
from filebot.ports import Catalog
from tests.contract.catalog.samples import NOW, digest


async def test_the_newest_upload_of_a_name_is_its_link(catalog: Catalog) -> None:
    old = Link(digest(1), "a.pdf", "https://example.org/1", NOW)
    new = Link(digest(1), "a.pdf", "https://example.org/2", NOW + timedelta(hours=1))
    other = Link(digest(1), "b.pdf", "https://example.org/3", NOW)
    for link in (other, new, old):
        await catalog.save_link(link)
    assert await catalog.link(digest(1), "a.pdf") == new
    assert await catalog.link(digest(1), "A.PDF") == new
    assert await catalog.link(digest(1), "b.pdf") == other
    assert await catalog.link(digest(1), "c.pdf") is None
    assert await catalog.link(digest(2), "a.pdf") is None


async def test_an_upload_is_found_by_its_url(catalog: Catalog) -> None:
    url = "https://up.example.org/1/a.png"
    await catalog.save_link(Link("ab" * 32, "a.png", url, datetime(2026, 11, 24, tzinfo=UTC)))
    assert await catalog.has_uploaded(["https://else.example.org/a.png", url])
    assert not await catalog.has_uploaded([f"{url}?"])
    assert not await catalog.has_uploaded([])


async def test_forget_links_forgets_the_links_of_one_blob(catalog: Catalog) -> None:
    kept = Link(digest(2), "a.pdf", "https://example.org/2", NOW)
    for link in (Link(digest(1), "a.pdf", "u", NOW), Link(digest(1), "b.pdf", "u", NOW), kept):
        await catalog.save_link(link)
    await catalog.forget_links(digest(1))
    await catalog.forget_links(digest(3))
    assert await catalog.link(digest(1), "a.pdf") is None
    assert await catalog.link(digest(1), "b.pdf") is None
    assert await catalog.link(digest(2), "a.pdf") == kept
