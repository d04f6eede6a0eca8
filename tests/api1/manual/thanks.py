"""Thank for files, in rooms that like that."""

from filebot.plugin import Context, FileStored, Plugin

plugin = Plugin[None]("thanks", api=1, needs={"rooms"}, templates={"said": "Thank you!"})

wanted = plugin.room_setting(
    "thanks",
    bool,
    default=False,
    words="thanks {{ 'on' if value else 'off' }}: I {{ '' if value else 'do not ' }}thank for files.",
)


@plugin.on(FileStored)
async def thank(ctx: Context[None], event: FileStored) -> None:
    """Only where the room wants it."""
    if ctx.rooms.setting(wanted):
        await ctx.reply("thanks/said")
