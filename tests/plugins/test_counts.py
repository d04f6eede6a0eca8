"""`ls`, `quota` and `room` tell the same numbers and bytes, whatever happened before."""

import asyncio
import re
from gettext import NullTranslations
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.model import Entry, Scope
from filebot.replies.filters import Phrases
from filebot.testing import ALICE, BOB, ROOM, FakeBot

PEOPLE: Final = (ALICE, BOB)
OTHER_ROOM: Final = "garden@conference.example.org"
ROOMS: Final = (ROOM, OTHER_ROOM)
NAMES: Final = ("a.txt", "b.txt", "c.png")
SIZES: Final = (5, 1_300, 70_000)
PHRASES: Final = Phrases("en", NullTranslations())

person = st.sampled_from(PEOPLE)
room = st.sampled_from(ROOMS)
name = st.sampled_from(NAMES)
step = st.one_of(
    st.tuples(st.just("drop"), person, name, st.sampled_from(SIZES)),
    st.tuples(st.just("say"), person, st.builds("send {} to {}".format, name, room)),
    st.tuples(st.just("say"), person, st.builds("send {} to {}".format, name, person)),
    st.tuples(st.just("say"), person, st.builds("rm {}".format, name)),
    st.tuples(st.just("say"), person, st.builds("rename {} to {}".format, name, name)),
    st.tuples(st.just("rm in"), person, room, name),
    st.tuples(st.just("retract"), person, st.integers(0, 12)),
    st.tuples(st.just("destroy"), st.just(OTHER_ROOM)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(step, max_size=14))
def test_all_numbers_agree_after_any_history(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[Any, ...]]) -> None:
    async with FakeBot() as bot:
        bot.rooms.occupants[OTHER_ROOM] = frozenset(PEOPLE)
        bot.rooms.managers = {each: frozenset({ALICE}) for each in ROOMS}
        for number, (kind, *how) in enumerate(steps):
            match kind:
                case "drop":
                    by, file, size = how
                    await bot.drop(f"{size}-{file}", bytes(size), by, message_id=str(number))
                    await bot.say(f"rename {size}-{file} to {file}", by)
                case "say":
                    await bot.say(how[1], how[0])
                case "rm in":
                    await bot.say(f"rm {how[2]}", how[0], room=how[1])
                case "retract":
                    await bot.retract(str(how[1]), how[0])
                case "destroy":
                    await bot.destroy(how[0])
        await _agree(bot)


async def _agree(bot: FakeBot) -> None:
    in_rooms = [each for room in ROOMS for each in await bot.catalog.page(Scope(room=room), limit=99)]
    for person in PEOPLE:
        own = await bot.catalog.page(Scope(owner=person), limit=99)
        here = [each for each in in_rooms if each.owner == person]
        assert await _listed(bot, person) == [each.id for each in own]
        [usage] = await bot.say("quota", person)
        assert usage.startswith(_usage([*own, *here]))
        assert ("in a room" in usage) == (len(here) == 1)
        assert (f"{len(here)} of your files are in rooms" in usage) == (len(here) > 1)
    for room in ROOMS:
        if room in bot.rooms.occupants:
            files = await bot.catalog.page(Scope(room=room), limit=99)
            assert await _listed(bot, ALICE, room) == [each.id for each in files]
            [state] = await bot.say("room", ALICE, room=room)
            assert _used(files) in state
            assert ("one file," if len(files) == 1 else f"{len(files)} files,") in state


async def _listed(bot: FakeBot, person: str, room: str | None = None) -> list[int]:
    """Return the ids of all pages of a list, which says itself how many there are."""
    text = "\n".join(await bot.say("ls", person, room=room))
    said = re.search(r"(?:have|has) (one|\d+) files?", text)
    while text.endswith("more"):
        text += "\n" + "\n".join(await bot.say("more", person, room=room))
    ids = [int(each) for each in re.findall(r"#(\d+)$", text, re.MULTILINE)]
    if said is not None:
        assert len(ids) == (1 if said[1] == "one" else int(said[1]))
    return ids


def _usage(files: list[Entry]) -> str:
    count = "one file" if len(files) == 1 else f"{len(files)} files"
    return f"You have {count}, using {_used(files)} of "


def _used(files: list[Entry]) -> str:
    """Return what files use: the same bytes count once, and each file a little more."""
    sizes = {each.blob.digest: each.blob.size for each in files}
    return PHRASES.size(sum(sizes.values()) + FILE_OVERHEAD_BYTES * len(files))
