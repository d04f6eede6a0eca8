"""Which commands are shown to whom (XEP-0050 section 2)."""

import asyncio
from xml.etree.ElementTree import Element

import pytest

from filebot.model import CommandItem, Occupant
from filebot.protocol.adhoc import COMMANDS
from filebot.protocol.disco import INFO, ITEMS
from filebot.xmpp.commands.discovery import ANSWER_LIMIT_S, MOST_OF_ONE
from filebot.xmpp.connection.disco_features import CAPS_NODE
from tests.support.scripted_commands import forever
from tests.support.virtual_time import in_virtual_time
from tests.unit.xmpp.commands.command_lab import ANNA, BOT, ROOM, CommandLab, lab


def query(bot: CommandLab, namespace: str, node: str = "", sender: str = ANNA) -> str:
    about = f" node='{node}'" if node else ""
    return bot.request(f"<query xmlns='{namespace}'{about}/>", sender, kind="get")


def listed(query: Element) -> list[tuple[str | None, str | None]]:
    return [(each.get("jid"), each.get("node")) for each in query]


@pytest.mark.conformance(101)
@in_virtual_time
async def test_commands_are_listed_for_those_who_may_use_them() -> None:
    async with lab() as bot:
        items = await bot.result_of(query(bot, ITEMS, COMMANDS))
        assert listed(items) == [(BOT, "list"), (BOT, "send")]
        bot.commands.denied.add("bob@example.org")
        for nobody in ("bob@example.org/x", "eve@example.org/x"):
            assert listed(await bot.result_of(query(bot, ITEMS, COMMANDS, nobody))) == []


@pytest.mark.conformance(101)
@in_virtual_time
async def test_in_a_room_the_address_is_that_of_the_occupant() -> None:
    async with lab() as bot:
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org")
        items = await bot.result_of(query(bot, ITEMS, COMMANDS, f"{ROOM}/Anna"))
        assert listed(items)[0] == (f"{ROOM}/Filebot", "list")
        assert bot.commands.senders[-1].room == ROOM


@pytest.mark.conformance(102)
@in_virtual_time
async def test_nodes_say_what_they_are() -> None:
    async with lab() as bot:
        found = await bot.result_of(query(bot, INFO, COMMANDS))
        assert dict(found[0].attrib) == {
            "category": "automation",
            "type": "command-list",
            "name": "Filebot",
        }
        found = await bot.result_of(query(bot, INFO, "send"))
        assert found[0].get("type") == "command-node"
        assert [each.get("var") for each in found[1:]] == [COMMANDS, "jabber:x:data"]
        unknown = await bot.error_of(query(bot, INFO, "rm"))
        assert unknown.condition == "item-not-found"
        assert (await bot.error_of(query(bot, INFO, "n" * 300))).condition == "item-not-found"
        assert (await bot.error_of(query(bot, INFO, "send", "eve@example.org/x"))) == unknown


@in_virtual_time
async def test_other_questions_are_left_to_others() -> None:
    async with lab() as bot:
        asked = [
            query(bot, ITEMS),
            query(bot, ITEMS, "send"),
            query(bot, INFO),
            query(bot, INFO, f"{CAPS_NODE}#abc"),
        ]
        bot.handlers.commands = None
        asked += [query(bot, ITEMS, COMMANDS), query(bot, INFO, COMMANDS), query(bot, INFO, "send")]
        await asyncio.sleep(1)
        assert [each for name in asked for each in bot.answers_to(name)] == []


@in_virtual_time
async def test_questions_that_take_too_long_or_are_too_many_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with lab() as bot:

        async def slow(*_: object) -> list[CommandItem]:
            await forever()
            return []

        monkeypatch.setattr(bot.commands, "items", slow)
        asked = [query(bot, ITEMS, COMMANDS) for _ in range(MOST_OF_ONE)]
        assert (await bot.error_of(query(bot, ITEMS, COMMANDS))).condition == "resource-constraint"
        for each in asked:
            found = await bot.error_of(each, ANSWER_LIMIT_S + 0.2)
            assert found.condition == "internal-server-error"
        monkeypatch.undo()
        assert listed(await bot.result_of(query(bot, ITEMS, COMMANDS)))


@in_virtual_time
async def test_a_later_owner_of_the_nick_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with lab() as bot:
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")

        async def change(*_: object) -> list[CommandItem]:
            bot.rooms.occupants["Anna"] = Occupant("bob@example.org", f"{ROOM}/id2")
            return [CommandItem("reload", "Reload")]

        monkeypatch.setattr(bot.commands, "items", change)
        asked = query(bot, ITEMS, COMMANDS, f"{ROOM}/Anna")
        await asyncio.sleep(60)
        assert not bot.answers_to(asked)


@in_virtual_time
async def test_a_list_that_is_too_long_for_a_stanza_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with lab() as bot:

        async def many(*_: object) -> list[CommandItem]:
            return [CommandItem(f"n{number}", "x" * 100) for number in range(1000)]

        monkeypatch.setattr(bot.commands, "items", many)
        assert (await bot.error_of(query(bot, ITEMS, COMMANDS))).condition == "resource-constraint"
