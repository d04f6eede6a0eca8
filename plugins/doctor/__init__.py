"""Say how files travel between the bot and a person, and what is in their way."""

from filebot.plugin import CommandGroup, Context, Permission, Place, Plugin

from .examination import Examinations

plugin = Plugin[None]("doctor", api=1, needs={"delivery", "files.read"}, package=__name__)

_examinations = Examinations()


@plugin.command(
    "doctor",
    usage="doctor me",
    permission=Permission.SERVED,
    place=Place.PRIVATE,
    elsewhere="doctor/private",
    group=CommandGroup.TRANSFERS,
)
async def examine(ctx: Context[None]) -> None:
    """Find out how files can reach you, and what is in the way.

    This takes a few seconds. I check my server's upload service, try its proxy, ask your apps what they can
    do, and measure the chat connection. Then I tell you how I would send you a small, a large and a very
    large file. You will not see any of these tests.
    """
    await ctx.reply("doctor/me", found=await _examinations.examine(ctx.sender.jid, ctx.delivery, ctx.files))
