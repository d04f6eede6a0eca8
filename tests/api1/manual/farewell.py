"""Tell everybody in a room that a file was deleted, where its admins want that."""

from filebot.plugin import Address, AddressKind, Context, FileRemoved, Plugin

plugin = Plugin[None](
    "farewell",
    api=1,
    needs={"rooms", "people"},
    templates={"gone": "{{ name|line }} is gone."},
)

wanted = plugin.room_setting("farewell", bool, default=False)


@plugin.on(FileRemoved, durable=True, where=wanted)
async def gone(ctx: Context[None], event: FileRemoved) -> None:
    """Only where everybody may know."""
    room = event.entry.room
    if room is not None and not ctx.rooms.is_members_only(room):
        await ctx.tell(Address(room, AddressKind.ROOM), "farewell/gone", name=event.entry.name)
