"""Contract of ``Languages``."""

import asyncio

from filebot.ports import MOST_LANGUAGES_OF_ROOM, Catalog


async def test_a_chosen_language_stays_until_another_or_none_is_chosen(catalog: Catalog) -> None:
    assert await catalog.language("alice@example.org") is None
    await catalog.set_language("alice@example.org", "de")
    await catalog.set_language("bob@example.org", "fr")
    await catalog.set_language("alice@example.org", "en")
    assert await catalog.language("alice@example.org") == "en"
    await catalog.set_language("alice@example.org", None)
    await catalog.set_language("alice@example.org", None)
    assert await catalog.language("alice@example.org") is None
    assert await catalog.language("bob@example.org") == "fr"


async def test_a_room_has_a_bound_of_languages_of_its_own(catalog: Catalog) -> None:
    room, others = (
        "tea@muc.example.org",
        ("tea@muc.example.org0", "tea@muc.example/1", "tea@muc.example.org"),
    )
    for other in others:
        await catalog.set_language(other, "de")
    people = [f"{room}/{number}" for number in range(MOST_LANGUAGES_OF_ROOM + 2)]
    await asyncio.gather(*(catalog.set_language(each, "fr") for each in people[:-2]))
    await catalog.set_language(people[0], "en")  # is no younger by that
    assert await catalog.language(people[0]) == "en"
    for each in people[-2:]:
        await catalog.set_language(each, "fr")
    languages = [await catalog.language(each) for each in (*people[:4], people[-1], *others)]
    assert languages == [None, None, "fr", "fr", "fr", "de", "de", "de"]
    await catalog.clear_room(room)
    languages = [await catalog.language(each) for each in (*people[:4], people[-1], *others)]
    assert languages == [None] * 5 + ["de"] * 3
