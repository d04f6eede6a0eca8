"""Places are shared by person and group, and given to those who wait in turn."""

import asyncio

import pytest

from filebot.concurrency.locks import Bottleneck, FairSemaphore, Shares, Ticket


def granted(*tickets: Ticket) -> list[bool]:
    return [each.granted.done() and not each.granted.cancelled() for each in tickets]


async def test_no_person_holds_more_than_a_share() -> None:
    free = FairSemaphore(Shares(total=10, per_person=2))
    first, second, third = (free.draw("anna") for _ in range(3))
    other = free.draw("bob")
    assert granted(first, second, third, other) == [True, True, False, True]
    free.give_back(first)
    assert granted(third) == [True]


async def test_no_group_holds_more_than_a_share_however_many_people_it_has() -> None:
    free = FairSemaphore(Shares(total=10, per_person=2, per_group=3))
    crowd = [free.draw(f"nick{number}", "den") for number in range(5)]
    assert granted(*crowd) == [True] * 3 + [False] * 2
    assert granted(free.draw("anna"), free.draw("bob", "team")) == [True, True]


async def test_those_who_wait_are_served_in_turn_by_person() -> None:
    free = FairSemaphore(Shares(total=1, per_person=1))
    order: list[str] = []

    async def take(person: str) -> None:
        async with free.held(person):
            order.append(person)
            await asyncio.sleep(0)

    people = ["eve", "anna", "anna", "anna", "bob", "carol"]
    await asyncio.gather(*map(take, people))
    assert order == ["eve", "anna", "bob", "carol", "anna", "anna"]


async def test_a_group_of_many_waiters_has_one_turn_among_other_groups() -> None:
    free = FairSemaphore(Shares(total=1, per_person=1, per_group=1))
    holder = free.draw("eve")
    crowd = [free.draw(f"nick{number}", "den") for number in range(20)]
    anna = free.draw("anna")
    free.give_back(holder)
    assert granted(crowd[0], anna) == [True, False]
    free.give_back(crowd[0])
    assert granted(anna) == [True]


async def test_a_full_share_is_passed_over() -> None:
    free = FairSemaphore(Shares(total=2, per_person=1))
    anna, bob = free.draw("anna"), free.draw("bob")
    again, carol = free.draw("anna"), free.draw("carol")
    free.give_back(bob)
    assert granted(again, carol) == [False, True]
    free.give_back(anna)
    assert granted(again) == [True]


async def test_the_place_in_the_queue_names_how_many_come_first_and_the_limit_met() -> None:
    free = FairSemaphore(Shares(total=4, per_person=2, per_group=1))
    for _ in range(3):
        free.draw("anna")
    mine = free.draw("anna").place
    assert mine is not None
    assert (mine.behind, mine.limit, mine.bottleneck) == (3, 2, Bottleneck.PERSON)
    free.draw("nick1", "den")
    of_room = free.draw("nick2", "den").place
    assert of_room is not None
    assert (of_room.behind, of_room.limit, of_room.bottleneck) == (1, 1, Bottleneck.GROUP)
    free.draw("bob")
    of_all = free.draw("carol").place
    assert of_all is not None
    assert (of_all.limit, of_all.bottleneck) == (4, Bottleneck.ALL)


async def test_a_cancelled_waiter_leaves_the_queue_and_a_cancelled_holder_gives_its_place_back() -> None:
    free = FairSemaphore(Shares(total=1, per_person=1))

    async def hold(person: str) -> None:
        async with free.held(person):
            await asyncio.sleep(60)

    holder = asyncio.create_task(hold("anna"))
    await asyncio.sleep(0)
    waiter = asyncio.create_task(hold("bob"))
    await asyncio.sleep(0)
    waiter.cancel()
    holder.cancel()
    await asyncio.wait({holder, waiter})
    assert not free.waits("bob")
    async with asyncio.timeout(1), free.held("carol"):
        pass


async def test_a_place_freed_while_a_waiter_is_being_cancelled_goes_to_the_next() -> None:
    free = FairSemaphore(Shares(total=1, per_person=1))
    holder, waiter = free.draw("anna"), free.draw("bob")
    last = free.draw("carol")
    waiter.granted.cancel()  # as task.cancel() does before the task runs
    free.give_back(holder)
    assert granted(last) == [True]
    free.give_back(waiter)
    free.give_back(last)
    assert granted(free.draw("dave")) == [True]


@pytest.mark.timeout(10)
async def test_thousands_who_wait_cost_little() -> None:
    free = FairSemaphore(Shares(total=2, per_person=1))
    holder = free.draw("anna")
    free.draw("bob")
    waiting = [free.draw("anna") for _ in range(10_000)]
    for each in waiting:
        free.give_back(holder)
        holder = each
    assert granted(waiting[-1]) == [True]
