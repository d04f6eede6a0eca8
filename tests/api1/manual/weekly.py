"""Tell people once a week how many files they have: `weekly on`, `weekly off`."""

from dataclasses import dataclass
from datetime import timedelta

from filebot.plugin import Context, Permission, Place, Plugin

plugin = Plugin[None](
    "weekly",
    api=1,
    needs={"files.read", "jobs", "store"},
    templates={
        "set": "Weekly report: {{ 'on' if switch else 'off' }}.",
        "report": "You have {{ count }} files.",
    },
)


@dataclass(frozen=True)
class Report:
    number: int


@plugin.command("weekly", usage="weekly SWITCH", permission=Permission.SERVED, place=Place.PRIVATE)
async def weekly(ctx: Context[None], switch: bool) -> None:
    """Hear once a week how many files you have, or not any more."""
    person = ctx.store.person(ctx.sender.identity)
    number = await person.get("number", 0) + 1
    if switch:
        await add(ctx, number)
    else:
        await person.set("number", number)  # so that the job that waits does nothing
    await ctx.reply("weekly/set", switch=switch)


@plugin.job("report")
async def report(ctx: Context[None], this: Report) -> None:
    """Tell, and add the job of the next week."""
    if await ctx.store.person(ctx.sender.identity).get("number") == this.number:
        await ctx.reply("weekly/report", count=await ctx.files.count())
        await add(ctx, this.number + 1)


async def add(ctx: Context[None], number: int) -> None:
    """Add a job; its key makes that harmless if this is done twice."""
    person = ctx.sender.identity
    await ctx.jobs.add("report", Report(number), after=timedelta(days=7), key=f"{person} {number}")
    await ctx.store.person(person).set("number", number)
