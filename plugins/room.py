"""Settings of a room, made by its owners and admins.

Write `room` there to see it, and `room set archive on`, say, to change it. From a private chat, name the
room: `room team@conference.example.org`.
"""

from filebot.plugin import Address, AddressKind, CommandGroup, Context, Plugin

plugin = Plugin[None]("room", api=1, needs={"people", "rooms"})


@plugin.command(
    "room",
    usage=("room set SETTING", "room ROOM set SETTING", "room ROOM", "room"),
    aliases=("settings", "设置", "群设置"),
    group=CommandGroup.ROOMS,
)
async def room(ctx: Context[None], room: str, setting: str) -> None:
    """Show or change the settings of a room."""
    if not room and ctx.sender.room is None:
        await ctx.reply("room/which")
        return
    if not setting:
        state = await ctx.rooms.state(room)
        await ctx.reply("room/state", state=state)
        return
    before, after = await ctx.rooms.change(room, setting)
    told = [
        each.told
        for each in after.shown
        if each.told and before.settings[each.name] != after.settings[each.name]
    ]
    # Everybody there must know, wherever it was switched.
    everybody = Address(after.room, AddressKind.ROOM)
    for template in told:
        await ctx.tell(everybody, template, state=after)
    if not told or ctx.sender.address != everybody:
        await ctx.reply("room/state", state=after)
