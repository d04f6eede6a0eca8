"""The commands of the bundled plugins, filled in by a client of another make on a real server."""

import os
from pathlib import Path
from typing import Any

import pytest
from slixmpp import JID

from filebot.localserver.peer import Peer
from filebot.protocol.adhoc import COMMANDS
from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.disco import ITEMS
from tests.e2e.conftest import ROOM, World
from tests.e2e.test_adhoc_commands import Client, refusal
from tests.e2e.test_session import query

pytestmark = pytest.mark.asyncio(loop_scope="module")

OCCUPANT = f"{ROOM}/filebot"


def with_commands(peer: Peer) -> Peer:
    peer.client.register_plugin("xep_0004")
    peer.client.register_plugin("xep_0050")
    return peer


async def full_jid(world: World, peer: Peer) -> str:
    """Return the bot's full JID, as it answers from."""
    heard = await world.ask(peer, "help")
    return heard.sender


async def dropped(world: World, peer: Peer, folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(os.urandom(1000))
    await peer.drop(path, world.bot_jid)
    await peer.next_message(world.from_bot)


def number_of(iq: Any) -> str:
    """Return the hidden number of a form. From its XML: slixmpp's own view of it is empty now and then."""
    field = iq.xml.find(f".//{{{DATA_FORM}}}field[@var='_form']")
    return str(field.findtext(f"{{{DATA_FORM}}}value"))


@pytest.mark.smoke
async def test_a_file_is_renamed_and_listed_by_forms(world: World, alice: Peer, tmp_path: Path) -> None:
    with_commands(alice)
    bot = await full_jid(world, alice)
    await dropped(world, alice, tmp_path, "draft.bin")
    nodes = [each.get("node") for each in await query(alice, bot, ITEMS, COMMANDS)]
    assert {"ls", "rename", "send"} <= {*nodes}
    client = Client(alice, bot)
    form = (await client.start("rename"))["command"]["form"]
    [file, name] = [each for each, field in form.get_fields().items() if field["required"]]
    [value] = [each["value"] for each in form.get_fields()[file]["options"] if "draft.bin" in each["label"]]
    done = await client.go_on("complete", **{file: value, name: "final.bin"})
    assert done["command"]["status"] == "completed", done
    assert "final.bin" in "".join(text for _, text in done["command"]["notes"])
    listed = (await Client(alice, bot).start("ls"))["command"]
    if listed["status"] == "executing":
        client = Client(alice, bot)
        await client.start("ls")
        listed = (await client.go_on("complete"))["command"]
    assert listed["status"] == "completed"
    assert "final.bin" in str(listed)


async def test_a_form_that_comes_twice_deletes_nothing(world: World, bob: Peer, tmp_path: Path) -> None:
    with_commands(bob)
    bot = await full_jid(world, bob)
    for name in ("one.twice", "two.twice"):
        await dropped(world, bob, tmp_path, name)
    client = Client(bob, bot)
    filled = {"name": "*.twice", "_form": number_of(await client.start("rm"))}
    asked = await client.go_on("complete", **filled)
    assert asked["command"]["status"] == "executing"
    again = await client.go_on("complete", **filled)
    assert again["command"]["status"] == "executing"
    assert number_of(again) == number_of(asked) != filled["_form"]
    assert "two.twice" in (await world.ask(bob, "find twice")).body
    done = await client.go_on("complete", _form=number_of(again))
    assert done["command"]["status"] == "completed"
    assert "two.twice" not in (await world.ask(bob, "find twice")).body


async def test_each_has_the_commands_that_are_theirs(
    world: World, alice: Peer, bob: Peer, eve: Peer
) -> None:
    bot = await full_jid(world, alice)
    admins, bobs, eves = [
        {each.get("node") for each in await query(peer, bot, ITEMS, COMMANDS)} for peer in (alice, bob, eve)
    ]
    assert "reload" in admins - bobs
    assert "ls" in bobs - eves
    assert (await refusal(bob, bot, node="reload"))[0] == "forbidden"
    assert (await refusal(eve, bot, node="ls"))[0] == "forbidden"
    await bob.join(ROOM, "bob")
    here = {each.get("node") for each in await query(bob, OCCUPANT, ITEMS, COMMANDS)}
    assert "keep" in here
    assert "keep" not in bobs


async def test_the_words_are_in_the_language_of_the_client(world: World, alice: Peer) -> None:
    bot = await full_jid(world, alice)
    iq = alice.client.make_iq_get(ITEMS, ito=JID(bot))
    iq.xml[0].set("node", COMMANDS)
    iq.xml.set("{http://www.w3.org/XML/1998/namespace}lang", "zh")
    answer = await iq.send(timeout=20)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    names = [each.get("name") for each in answer.xml[0]]
    assert any("文件" in name for name in names), names
