"""Say how files travel between the bot and a person, and what is in their way."""

from filebot.plugin import AddressKind, Context, Plugin

plugin = Plugin[None]("doctor")


@plugin.command("doctor", usage="doctor me")
async def examine(ctx: Context[None]) -> None:
    """Test by which ways files reach you, and say what is in their way.

    It takes a few seconds. I look at the upload service of my server, try its proxy, ask your clients what
    they can do, measure how fast the chat connection is, and say how I would send you a small, a large and
    a very large file. Nothing is sent that you would see.
    """
    if ctx.sender.address.kind is not AddressKind.CHAT:
        await ctx.reply("doctor/private")
        return
    await ctx.reply("doctor/me", found=await ctx.files.diagnose())
