"""Bring the bot into rooms and out of them: join and leave, and invitations.

Most clients can invite me into a room. If yours cannot, or if I do not come, write `join ROOM` to me. I
leave again for whoever brought me, and for the owners and admins of the room.
"""

from filebot.plugin import Address, BadCommand, CommandGroup, Context, InvitationAccepted, Plugin

plugin = Plugin[None]("rooms", api=1, needs={"people", "rooms"})


@plugin.command("join", usage=("join ROOM with PASSWORD", "join ROOM"), group=CommandGroup.ROOMS)
async def join(ctx: Context[None], room: str, password: str) -> None:
    """Enter a room and stay there, even after a restart."""
    await ctx.reply("rooms/joined", room=await ctx.rooms.join(room, password))


@plugin.command("leave", usage=("leave ROOM", "leave"), group=CommandGroup.ROOMS)
async def leave(ctx: Context[None], room: str) -> None:
    """Leave a room for good. I still keep its files. The person who brought me there and the room's admins
    can use this.
    """
    here = ctx.sender.room
    if not room and here is None:
        raise BadCommand(command="leave", usage=("leave ROOM",), missing=True)
    left = await ctx.rooms.leave(room or here or "")
    if left != here:
        await ctx.reply("rooms/left", room=left)
    elif ctx.sender.jid is not None:  # nothing can be said in that room any more
        await ctx.tell(Address(ctx.sender.jid), "rooms/left", room=left)


@plugin.on(InvitationAccepted)
async def thank(ctx: Context[None], event: InvitationAccepted) -> None:
    """To whoever invited, not to the room."""
    await ctx.reply("rooms/invited", room=event.room)
