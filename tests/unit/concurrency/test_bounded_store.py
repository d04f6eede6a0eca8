"""Memory has a bound in bytes, whatever is posted, announced or said."""

import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from filebot.chat import rate_limits
from filebot.chat.rate_limits import RateLimiter, RateLimits
from filebot.concurrency.bounded_store import ByteBounded, Share, weight
from filebot.errors import PostTooLarge
from filebot.model import Address, AddressKind, IncomingMessage, Offer, Sender
from filebot.protocol.file_sharing.attachments import AttachmentJoiner
from filebot.protocol.file_sharing.read import AnnouncedFile, Shared
from filebot.rooms.recent_posts import (
    MOST_OF_ALL_BYTES,
    MOST_OF_PERSON_BYTES,
    MOST_OF_ROOM_BYTES,
    RecentPosts,
)

MIB = 1024 * 1024


def large_post(seed: int, size: int = 210_000) -> tuple[Offer, ...]:
    """Files whose URLs alone take so many bytes."""
    count = size // 7000
    return tuple(
        Offer(urls=(f"https://files.example.org/{seed}/{number}/".ljust(7000, "x"),))
        for number in range(count)
    )


def grown(work: Callable[[], object]) -> int:
    """By how many bytes memory has grown when the work is done; what it returns is kept until then."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = work()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return after - before


def test_large_posts_in_many_rooms_take_little_memory() -> None:
    posts = RecentPosts()

    def post() -> RecentPosts:
        for room in range(40):
            for number in range(10):
                posts.add(
                    f"room{room}@muc.example.org",
                    f"person{number % 10}@example.org",
                    f"id{number}",
                    large_post(1000 * room + number),
                )
        return posts

    assert grown(post) < 32 * MIB
    assert posts.total_bytes <= MOST_OF_ALL_BYTES


def test_posts_of_a_usual_kind_are_bounded_for_each_person_each_room_and_all() -> None:
    posts = RecentPosts()

    def post() -> RecentPosts:
        for room in range(50):
            for number in range(60):
                posts.add(
                    f"room{room}@muc.example.org",
                    f"p{number % 3}@example.org",
                    f"id{number}",
                    large_post(number, 21_000),
                )
        return posts

    assert grown(post) < 2 * MOST_OF_ALL_BYTES
    assert posts.total_bytes <= MOST_OF_ALL_BYTES
    assert posts.of("room49@muc.example.org", "p2@example.org") == large_post(59, 21_000)


def test_a_lively_room_and_a_lively_person_forget_nothing_of_others() -> None:
    posts = RecentPosts()
    mine = large_post(1, 7000)
    posts.add("tea@muc.example.org", "anna@example.org", "id1", mine)
    for number in range(500):
        posts.add("den@muc.example.org", f"nick{number}", f"id{number}", large_post(number, 14_000))
        posts.add("tea@muc.example.org", "eve@example.org", f"id{number}", large_post(number, 14_000))
    assert posts.of("tea@muc.example.org", "anna@example.org", "id1") == mine
    assert posts.of("tea@muc.example.org", "eve@example.org", "id1") == ()


def test_a_post_that_is_too_large_to_be_remembered_is_told_as_such() -> None:
    posts = RecentPosts()
    posts.add("tea@muc.example.org", "anna@example.org", "id1", large_post(1))
    with pytest.raises(PostTooLarge):
        posts.of("tea@muc.example.org", "anna@example.org")
    assert posts.of("tea@muc.example.org", "bob@example.org") == ()


def test_the_bounds_of_person_room_and_all_fit_together() -> None:
    assert 2 * MOST_OF_PERSON_BYTES < MOST_OF_ROOM_BYTES
    assert 10 * MOST_OF_ROOM_BYTES < MOST_OF_ALL_BYTES


def test_what_a_value_takes_is_counted_about_as_it_is() -> None:
    def make() -> list[tuple[Offer, ...]]:
        return [large_post(number) for number in range(20)]

    assert grown(make) == pytest.approx(sum(map(weight, make())), rel=0.2)


def test_a_share_forgets_its_own_oldest_and_no_other() -> None:
    store = ByteBounded[str, str]()
    small, large = Share("small", 3000, 10), Share("large", 100_000, 10)
    assert store.put("other", "x" * 1000, [large])
    for number in range(5):
        assert store.put(str(number), "x" * 1000, [small, large])
    assert [store.get(each) is not None for each in ("other", "0", "3", "4")] == [True, False, False, True]
    assert not store.put("huge", "x" * 5000, [small, large])
    assert store.pop("4") == "x" * 1000
    assert store.pop("4") is None
    assert len(store) == 1


def test_files_that_are_announced_without_a_source_are_bounded_in_bytes() -> None:
    joiner = AttachmentJoiner()

    def announce() -> AttachmentJoiner:
        for number in range(3000):
            name = f"{number}".ljust(16_000, "x")
            shared = Shared(announced=(AnnouncedFile(f"f{number}", Offer(name=name)),))
            joiner.feed(f"person{number % 300}@example.org", shared, [f"id{number}"], 0.0)
            joiner.expire(0.0)
        return joiner

    assert grown(announce) < 16 * MIB


def message(text: str, number: int = 0) -> IncomingMessage:
    jid = f"person{number}@example.org"
    return IncomingMessage(Sender(Address(jid), jid), text)


def waiting(load: RateLimiter, each: IncomingMessage, held: ExitStack) -> int:
    """How many such messages may wait."""
    count, size = 0, weight(each)
    while count < 1000 and not load.is_full(each.sender, size):
        held.enter_context(load.waiting(each.sender, size))
        count += 1
    return count


def test_large_messages_of_one_person_wait_up_to_a_bound_in_bytes_and_small_ones_up_to_a_number() -> None:
    large = IncomingMessage(message("").sender, "", large_post(1))
    with ExitStack() as held:
        count = waiting(RateLimiter(RateLimits()), large, held)
        assert count * weight(large) <= rate_limits.WAITING_BYTES_PER_PERSON
        assert 10 < count < 100
        assert waiting(RateLimiter(RateLimits()), message("ls"), held) == rate_limits.WAITING_PER_PERSON


def test_large_messages_of_many_wait_up_to_a_bound_in_bytes() -> None:
    load, total = RateLimiter(RateLimits()), 0
    with ExitStack() as held:
        for number in range(100):
            each = IncomingMessage(message("", number).sender, "", large_post(number))
            total += waiting(load, each, held) * weight(each)
        assert 0.9 * rate_limits.WAITING_BYTES < total <= rate_limits.WAITING_BYTES


def test_a_room_has_its_own_bound_in_bytes() -> None:
    load, room, total = RateLimiter(RateLimits()), "den@muc.example.org", 0
    with ExitStack() as held:
        for number in range(100):
            occupant = Sender(Address(room, AddressKind.ROOM), None, room, f"n{number}", f"{room}/{number}")
            each = IncomingMessage(occupant, "", large_post(number))
            total += waiting(load, each, held) * weight(each)
        assert total <= rate_limits.WAITING_BYTES_PER_ROOM
        assert not load.is_full(message("ls").sender, 100)


def test_nothing_is_kept_of_those_who_only_asked() -> None:
    load = RateLimiter(RateLimits())
    for number in range(1000):
        each = message("ls", number)
        assert not load.is_full(each.sender)
        with load.waiting(each.sender):
            pass
    assert not load._waiting_of
    assert not load._waiting_in
