"""Conversations about dice."""

import secrets

import pytest

from filebot.testing import FakeBot, in_room
from tests.api1.examples import dice


@pytest.fixture(autouse=True)
def every_die_shows_its_highest_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda sides: sides - 1)


async def test_one_die_is_rolled() -> None:
    async with FakeBot(dice.plugin) as bot:
        assert await bot.say("roll") == ["6."]
        assert await bot.say("dice", in_room()) == ["alice: 6."]


async def test_several_dice_are_rolled_and_added_up() -> None:
    async with FakeBot(dice.plugin) as bot:
        assert await bot.say("roll 3 dice") == ["6, 6, 6, 18 in all."]
        assert await bot.say("roll 2 dice with 20 sides") == ["20, 20, 40 in all."]


async def test_a_number_that_is_too_high_is_answered_with_what_is_right() -> None:
    async with FakeBot(dice.plugin) as bot:
        [said] = await bot.say("roll 21 dice")
        assert said.startswith('"21" does not work. For COUNT, type a number from 1 to 20.')
        [said] = await bot.say("roll two dice with 1 sides")
        assert said.startswith('"two" does not work.')


async def test_the_operator_chooses_the_sides_of_a_die() -> None:
    async with FakeBot(dice.plugin, settings={"dice": {"sides": 12}}) as bot:
        assert await bot.say("roll") == ["12."]


async def test_help_shows_how_to_roll() -> None:
    async with FakeBot(dice.plugin) as bot:
        [said] = await bot.say("help roll")
        assert said.splitlines()[:3] == ["roll", "roll COUNT dice", "roll COUNT dice with SIDES sides"]
