"""Keep the pictures that people post, in rooms that like that."""

from mimetypes import guess_type

from filebot.plugin import Context, FilebotError, Permission, Place, Plugin, RoomFilePosted, name_of

plugin = Plugin[None](
    "gallery",
    api=1,
    needs={"files.unasked", "rooms", "store"},
    templates={
        "here": "I keep pictures that are posted here. To keep yours out, type: {{ prefix }}gallery without me",
        "out": "I keep none of yours. I removed {{ count }}.",
        "so_far": "{{ value }} pictures in the gallery.",
    },
)

gallery = plugin.room_setting("gallery", bool, default=False, consent=True, presence="gallery/here")


@plugin.on(RoomFilePosted)
async def keep(ctx: Context[None], event: RoomFilePosted) -> None:
    """Keep the pictures of a message, if its sender does not mind."""
    poster = ctx.store.person(ctx.sender.identity)
    room = ctx.store.room(ctx.sender.room or "")

    async def wanted(sha256: str | None) -> bool:
        return not await poster.get("out", False)

    for number, offer in enumerate(event.message.offers):
        if (guess_type(name_of(offer))[0] or "").startswith("image/"):
            try:
                result = await ctx.files.keep_unasked(event.message, number, under=gallery, wanted=wanted)
            except FilebotError as error:
                if ctx.is_first_today(error.kind):
                    await ctx.reply_error(error, name_of(offer))
            else:
                if result is not None and not result.already_known:
                    await room.change("count", lambda count: count + 1, 0)


@plugin.command("gallery", usage="gallery without me", permission=Permission.OWNER, place=Place.ROOM)
async def without_me(ctx: Context[None]) -> None:
    """Keep nothing that you post, and remove what was kept."""
    await ctx.store.person(ctx.sender.identity).set("out", True)
    count = 0
    while entries := await ctx.files.kept_unasked():
        for entry in entries:
            await ctx.files.remove_unasked(entry)
        count += len(entries)
    await ctx.reply("gallery/out", count=count)


@plugin.room_line("gallery/so_far")
async def so_far(ctx: Context[None], room: str) -> object:
    """Count the pictures, if there are any."""
    return await ctx.store.room(room).get("count", None)
