"""Bring the bot into rooms and out of them: join and leave, and invitations.

Most clients can invite me into a room. If yours cannot, or if I do not come, write `join ROOM` to me. I
leave again for whoever brought me, and for the owners and admins of the room. With `greet = true` in
`[plugins.rooms]` I say one line to each room that I am brought into.
"""

from dataclasses import dataclass

from filebot.plugin import (
    Address,
    AddressKind,
    BadCommand,
    CommandGroup,
    Context,
    InvitationAccepted,
    Plugin,
)


@dataclass(frozen=True)
class Settings:
    """Settings of this plugin."""

    greet: bool = False
    """Whether a room that the bot is brought into is told in one line how to begin."""


plugin = Plugin("rooms", api=1, settings=Settings, needs={"people", "rooms"})


@plugin.command("join", usage=("join ROOM with PASSWORD", "join ROOM"), group=CommandGroup.ROOMS)
async def join(ctx: Context[Settings], room: str, password: str) -> None:
    """Enter a room and stay there, even after a restart."""
    await _tell_of(ctx, "rooms/joined", await ctx.rooms.join(room, password))


@plugin.command("leave", usage="leave [ROOM]", group=CommandGroup.ROOMS)
async def leave(ctx: Context[Settings], room: str) -> None:
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
async def thank(ctx: Context[Settings], event: InvitationAccepted) -> None:
    """Tell the inviter how to begin there, and the room if the operator wants that."""
    await _tell_of(ctx, "rooms/invited", event.room)


async def _tell_of(ctx: Context[Settings], template: str, room: str) -> None:
    await ctx.reply(template, room=room, nick=ctx.rooms.nick(room), sign=ctx.rooms.prefix)
    if ctx.settings.greet:
        await ctx.tell(Address(room, AddressKind.ROOM), "rooms/greeting")
