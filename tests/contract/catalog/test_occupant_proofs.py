"""Contract of ``OccupantProofs``."""

from dataclasses import replace
from datetime import timedelta

from filebot.model import ProvenOccupant
from filebot.ports import MOST_PROVEN, Catalog
from tests.contract.catalog.samples import NOW

ROOM = "team@rooms.example.org"
PROVEN = ProvenOccupant("alice@example.org", ROOM, f"{ROOM}/id1", NOW)


async def test_what_was_shown_is_kept_the_earliest_first(catalog: Catalog) -> None:
    later = replace(PROVEN, person="bob@example.org", occupant=f"{ROOM}/id2", proven_at=NOW + timedelta(1))
    for each in (later, PROVEN):
        await catalog.occupant_proofs.add(each)
    assert await catalog.occupant_proofs.all() == [PROVEN, later]


async def test_a_person_is_one_occupant_of_a_room_the_one_shown_last(catalog: Catalog) -> None:
    again = replace(PROVEN, occupant=f"{ROOM}/id9", proven_at=NOW + timedelta(1))
    await catalog.occupant_proofs.add(PROVEN)
    await catalog.occupant_proofs.add(again)
    assert await catalog.occupant_proofs.all() == [again]


async def test_a_person_is_forgotten_and_others_are_not(catalog: Catalog) -> None:
    other = replace(PROVEN, person="bob@example.org", proven_at=NOW + timedelta(1))
    for each in (PROVEN, replace(PROVEN, room="den@rooms.example.org"), other):
        await catalog.occupant_proofs.add(each)
    await catalog.occupant_proofs.forget_person("alice@example.org")
    assert await catalog.occupant_proofs.all() == [other]


async def test_a_room_that_is_cleared_forgets_its_occupants(catalog: Catalog) -> None:
    other = replace(PROVEN, room="den@rooms.example.org", occupant="den@rooms.example.org/id1")
    for each in (PROVEN, other):
        await catalog.occupant_proofs.add(each)
    await catalog.clear_room(ROOM)
    assert await catalog.occupant_proofs.all() == [other]


async def test_only_the_latest_are_kept(catalog: Catalog) -> None:
    for number in range(MOST_PROVEN + 2):
        at = NOW + timedelta(seconds=number)
        await catalog.occupant_proofs.add(replace(PROVEN, person=f"p{number}@example.org", proven_at=at))
    kept = await catalog.occupant_proofs.all()
    assert (len(kept), kept[0].person) == (MOST_PROVEN, "p2@example.org")
