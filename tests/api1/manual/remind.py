"""Remind people."""

from dataclasses import dataclass
from datetime import timedelta

from filebot.plugin import Context, Plugin

plugin = Plugin[None](
    "remind",
    api=1,
    needs={"jobs"},
    templates={
        "noted": "I shall remind you.",
        "now": "You wanted to hear: {{ text|line }}",
        "off": "Never mind.",
    },
)


@dataclass(frozen=True)
class Reminder:
    text: str


@plugin.command("remind", usage="remind TEXT")
async def remind(ctx: Context[None], text: str) -> None:
    """Remind me in an hour."""
    await ctx.jobs.add("speak", Reminder(text), after=timedelta(hours=1), key=ctx.sender.identity)
    await ctx.reply("remind/noted")


@plugin.command("forget", usage="forget")
async def forget(ctx: Context[None]) -> None:
    """Do not remind me."""
    await ctx.jobs.cancel(ctx.sender.identity or "")
    await ctx.reply("remind/off")


@plugin.job("speak")
async def speak(ctx: Context[None], reminder: Reminder) -> None:
    await ctx.reply("remind/now", text=reminder.text)
