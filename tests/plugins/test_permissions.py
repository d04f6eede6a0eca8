"""Permissions and places of commands: checked before they run, said in words, and shown in the help."""

from collections.abc import AsyncIterator

import pytest

from filebot.errors import PluginError
from filebot.model import Sender
from filebot.plugin import Context, Entry, Permission, Place, Plugin, Room
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room

plugin = Plugin[None](
    "doors",
    api=1,
    needs={"files.read", "rooms"},
    templates={"open": "It is open.", "inside": "Come into the room for that."},
)


@plugin.command("everyone", usage="everyone")
async def everyone(ctx: Context[None]) -> None:
    """Open to everybody."""
    await ctx.reply("doors/open")


@plugin.command("served", usage="served", permission=Permission.SERVED)
async def served(ctx: Context[None]) -> None:
    """Open to the served."""
    await ctx.reply("doors/open")


@plugin.command("owner", usage=("owner of FILE", "owner"), permission=Permission.OWNER)
async def owner(ctx: Context[None], file: Entry | None) -> None:
    """Open to owners."""
    await ctx.reply("doors/open")


@plugin.command("member", usage="member", permission=Permission.ROOM_MEMBER, place=Place.ROOM)
async def member(ctx: Context[None]) -> None:
    """Open to members."""
    await ctx.reply("doors/open")


@plugin.command("manager", usage=("manager of ROOM", "manager"), permission=Permission.ROOM_ADMIN)
async def manager(ctx: Context[None], room: Room | None) -> None:
    """Open to the room's admins."""
    await ctx.reply("doors/open")


@plugin.command("operator", usage="operator", permission=Permission.ADMIN)
async def operator(ctx: Context[None]) -> None:
    """Open to those who run the bot."""
    await ctx.reply("doors/open")


@plugin.command("inside", usage="inside", place=Place.ROOM, elsewhere="doors/inside")
async def inside(ctx: Context[None]) -> None:
    """Open in rooms."""
    await ctx.reply("doors/open")


@plugin.command("aside", usage="aside", place=Place.PRIVATE)
async def aside(ctx: Context[None]) -> None:
    """Open in private."""
    await ctx.reply("doors/open")


OPEN = "It is open."
NAMES = {command.name for command in plugin.commands}
CARL = "carl@elsewhere.example"
"""Somebody in the room whom the bot does not serve."""
HIDDEN = in_room(None, "hal")
"""Somebody of whom the room tells nothing."""
OCCUPANT = in_room(None, "olga", occupant_id="0lga")
"""Somebody of whom the room tells an id alone."""


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot(plugin) as fake:
        fake.rooms.occupants[ROOM] |= {CARL, ADMIN, f"{ROOM}/0lga"}
        fake.rooms.managers[ROOM] = frozenset({BOB})
        yield fake


IN_ROOM = {"everyone", "inside"}
CASES: list[tuple[Sender | str, set[str]]] = [
    (ALICE, {"everyone", "served", "owner", "aside"}),
    (in_room(), IN_ROOM | {"served", "owner"}),
    (through_room(), IN_ROOM | {"served", "owner"}),
    (in_room(BOB, "bob"), IN_ROOM | {"served", "owner", "member", "manager"}),
    (in_room(CARL, "carl"), IN_ROOM | {"owner"}),
    (OCCUPANT, IN_ROOM | {"owner"}),
    (HIDDEN, IN_ROOM),
    (ADMIN, {"everyone", "served", "owner", "aside", "operator"}),
    (in_room(ADMIN, "admin"), IN_ROOM | {"served", "owner", "member", "manager", "operator"}),
]


@pytest.mark.parametrize(("sender", "open_to"), CASES)
async def test_each_group_of_people_may_use_its_commands(
    bot: FakeBot, sender: Sender | str, open_to: set[str]
) -> None:
    opened = {name for name in sorted(NAMES) if await bot.say(name, sender) == [OPEN]}
    assert opened == open_to


@pytest.mark.parametrize(("sender", "open_to"), CASES)
async def test_help_shows_what_the_reader_may_use_there(
    bot: FakeBot, sender: Sender | str, open_to: set[str]
) -> None:
    [said] = await bot.say("help all", sender)
    shown = {line.split()[0].rstrip(":") for line in said.splitlines() if ": Open " in line}
    assert shown == open_to | {"manager"}  # which can name another room


@pytest.mark.parametrize(
    ("name", "sender", "said"),
    [
        ("served", in_room(CARL, "carl"), "You can get this room's files, but I keep none for you. "),
        ("served", HIDDEN, "This room hides your address, so I cannot tell who you are. "),
        ("owner", HIDDEN, "This room hides your address, so I cannot tell who you are. "),
        ("member", in_room(), "Only the room's members can do that. Ask its admins to make you one."),
        ("member", HIDDEN, "This room hides your address, so I cannot tell who you are. "),
        ("manager", in_room(), "Only the room's owners and admins can do that."),
        ("manager", ALICE, "Which room do you mean? "),
        ("operator", ALICE, "Only my operator can do that."),
        ("inside", ALICE, "Come into the room for that."),
        ("member", BOB, "Which room do you mean? Type this in the room itself, or in a private message "),
        ("aside", through_room(), 'You cannot use "aside" in a room. Write to me in a private chat.'),
        ("asid", in_room(), 'I do not understand "asid". Did you mean inside? '),
        ("operatr", ALICE, 'I do not understand "operatr". To see what I can do, type: help'),
    ],
)
async def test_whoever_may_not_is_told_why_and_what_to_do(
    bot: FakeBot, name: str, sender: Sender | str, said: str
) -> None:
    [answer] = await bot.say(name, sender)
    assert answer.startswith(said)


async def test_the_owner_of_a_file_that_is_named_is_asked_for(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a")
    await bot.say(f"send a.txt to {ROOM}")
    assert await bot.say("owner of a.txt", in_room()) == [OPEN]
    assert await bot.say("owner of a.txt", in_room(BOB, "bob")) == [OPEN]  # who manages the room
    refused = ["Only the file's owner and the room's owners and admins can do that."]
    assert await bot.say("owner of a.txt", in_room(CARL, "carl")) == refused
    assert await bot.say("owner of #2", in_room(ADMIN, "admin")) == [OPEN]


async def test_the_room_that_is_named_is_the_one_that_counts(bot: FakeBot) -> None:
    assert await bot.say(f"manager of {ROOM}", BOB) == [OPEN]
    assert await bot.say(f"manager of {ROOM}", ALICE) == ["Only the room's owners and admins can do that."]
    [said] = await bot.say("manager of elsewhere@conference.example.org", BOB)
    assert said.startswith('I find no room "elsewhere@conference.example.org"')


def test_a_permission_that_is_about_a_room_needs_one() -> None:
    async def alone(ctx: Context[None]) -> None:
        """Do it."""

    declared = Plugin[None]("p", api=1).command("x", usage="x", permission=Permission.ROOM_MEMBER)
    with pytest.raises(PluginError) as caught:
        declared(alone)
    assert str(caught.value) == (
        "command 'x' of plugin 'p': Permission.ROOM_MEMBER is about a room; "
        "write place=Place.ROOM, or take an argument of type Room"
    )


async def test_a_room_that_is_the_default_is_the_one_whose_admins_may() -> None:
    room_of_all = Room(ROOM)
    gate = Plugin[None]("gate", api=1, needs={"rooms"}, templates={"open": OPEN})

    @gate.command("gate", usage=("gate of ROOM", "gate"), permission=Permission.ROOM_ADMIN)
    async def gate_of(ctx: Context[None], room: Room = room_of_all) -> None:
        """Open to the admins of a room that need not be named."""
        await ctx.reply("gate/open")

    async with FakeBot(gate) as bot:
        other = "other@conference.example.org"
        bot.rooms.occupants[other] = frozenset({ALICE, BOB})
        bot.rooms.managers[ROOM], bot.rooms.managers[other] = frozenset({BOB}), frozenset({ALICE})
        assert await bot.say("gate", BOB) == [OPEN]
        [said] = await bot.say("gate", ALICE)
        assert said.startswith("Only the room's owners and admins")
        # That she manages the room that she speaks in gives no right in the other one.
        [said] = await bot.say("gate", in_room(ALICE, "alice", other))
        assert said.startswith("Only the room's owners and admins")
