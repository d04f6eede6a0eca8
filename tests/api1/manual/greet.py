"""Greet the admin in the morning, and count the weeks."""

from filebot.plugin import Address, Context, Plugin

plugin = Plugin[None](
    "greet",
    api=1,
    needs={"people", "store"},
    templates={"morning": "Good morning.", "weeks": "That was week {{ count }}."},
)
ADMIN = Address("admin@example.org")


@plugin.daily("08:00")
async def greet(ctx: Context[None]) -> None:
    await ctx.tell(ADMIN, "greet/morning")


@plugin.every("7d")
async def count_weeks(ctx: Context[None]) -> None:
    weeks = await ctx.store.change("weeks", lambda weeks: weeks + 1, 0)
    await ctx.tell(ADMIN, "greet/weeks", count=weeks)
