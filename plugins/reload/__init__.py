"""Read config and plugins anew while the bot runs."""

from filebot.plugin import CommandGroup, Context, Permission, Place, Plugin, ReloadRefused

plugin = Plugin[None]("reload", api=1, needs={"reload"}, package=__name__)


@plugin.command(
    "reload", usage="reload", permission=Permission.ADMIN, place=Place.PRIVATE, group=CommandGroup.SETTINGS
)
async def reload(ctx: Context[None]) -> None:
    """Read my config and my plugins anew, without a restart.

    If anything in them is wrong, all stays as it was, and I tell you what it is.
    """
    try:
        done = await ctx.reload()
    except ReloadRefused as refusal:
        await ctx.reply("reload/refused", mistakes=refusal.mistakes)
    else:
        await ctx.reply("reload/done", done=done)
