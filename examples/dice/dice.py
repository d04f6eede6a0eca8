"""Roll dice, in a private chat or for everybody in a room."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from filebot.plugin import Between, Context, Plugin


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.dice]`."""

    sides: int = 6
    """Sides of a die that nobody says more of."""

    def __post_init__(self) -> None:
        if not 2 <= self.sides <= 100:
            raise ValueError("sides must be from 2 to 100")


plugin = Plugin(
    "dice",
    api=1,
    settings=Settings,
    templates={
        "rolled": "{% if who %}{{ who|line }}: {% endif %}{{ rolls|join(', ') }}"
        "{% if rolls|length > 1 %}, {{ rolls|sum }} in all{% endif %}."
    },
)


@plugin.command(
    "roll", usage=("roll COUNT dice with SIDES sides", "roll COUNT dice", "roll"), aliases=("dice",)
)
async def roll(
    ctx: Context[Settings],
    count: Annotated[int, Between(1, 20)] = 1,
    sides: Annotated[int, Between(2, 100)] | None = None,
) -> None:
    """Roll one die, or several.

    COUNT is from 1 to 20, SIDES from 2 to 100.
    """
    sides = sides or ctx.settings.sides
    rolls = [secrets.randbelow(sides) + 1 for _ in range(count)]
    who = ctx.sender.nick if ctx.sender.in_public else ""
    await ctx.react("🎲")
    await ctx.reply("dice/rolled", who=who, rolls=rolls)
