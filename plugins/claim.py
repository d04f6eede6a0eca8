"""Files kept in a room that hides who people are become yours everywhere.

Such a room knows you by an id of its own, and what you keep there belongs to that id. Write `claim` to me
in a private message through the room, and then, in a private chat, what I answer.
"""

from filebot.plugin import AddressKind, Context, Plugin

plugin = Plugin[None]("claim", api=1, needs={"files.write"})


@plugin.command("claim", usage=("claim CODE", "claim"))
async def claim(ctx: Context[None], code: str) -> None:
    """Make your files from a room that hides your address yours everywhere."""
    if code:
        await ctx.reply("claim/done", claimed=await ctx.files.claim(code))
    elif ctx.sender.address.kind is AddressKind.CHAT:
        await ctx.reply("claim/how")
    elif ctx.sender.occupant is None:
        shown = ctx.sender.jid is not None
        await ctx.reply("claim/nothing" if shown else "claim/no_ids", room=ctx.sender.room)
    elif ctx.sender.jid is not None:
        await ctx.reply("claim/done", claimed=await ctx.files.claim_here())
    elif ctx.sender.in_public:
        await ctx.reply("claim/in_private")
    else:
        await ctx.reply("claim/code", claim=ctx.files.begin_claim())
