"""Caches of what is made of a content."""

from filebot.concurrency.lru import ContentCache


def test_what_is_made_of_a_content_is_made_once_for_each_thing_beside_it() -> None:
    cache, made = ContentCache[object](100), [object(), object(), object()]
    first = cache.get("text", lambda: made[0], "a")
    assert cache.get("text", lambda: made[1], "a") is first is made[0]
    assert cache.get("text", lambda: made[1], "b") is made[1]
    assert cache.get("other", lambda: made[2], "a") is made[2]


def test_the_size_of_all_contents_is_bounded_and_one_beyond_it_is_not_kept() -> None:
    cache, made = ContentCache[None](10), list[str]()
    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb", "d" * 11, "d" * 11, "bbbb"):

        def make(text: str = text) -> None:
            made.append(text[0])

        cache.get(text, make)
    assert "".join(made) == "abcbdd"
