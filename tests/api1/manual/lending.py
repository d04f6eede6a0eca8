"""Lend files to people for some time."""

from typing import Annotated

from filebot.plugin import Between, Context, Duration, Entry, Jid, Plugin, exact

plugin = Plugin[None](
    "lending",
    api=1,
    needs={"files.read"},
    templates={"lent": "{{ copies }} of {{ name }} for {{ person }}, for {{ hours }} hours."},
)


@plugin.command(
    "lend", usage=("lend FILE to PERSON for SPAN in COPIES copies", "lend FILE to PERSON for SPAN")
)
async def lend(
    ctx: Context[None],
    file: Annotated[Entry, exact],
    person: Jid,
    span: Duration,
    copies: Annotated[int, Between(1, 9)] = 1,
) -> None:
    """Lend a file to somebody."""
    hours = span.total_seconds() / 3600
    await ctx.reply("lending/lent", name=file.name, person=person, hours=hours, copies=copies)
