"""Tell the weather."""

from urllib.parse import quote

from filebot.plugin import Context, Plugin

plugin = Plugin[None](
    "weather",
    api=1,
    needs={"http"},
    templates={"now": "{{ degrees }} degrees.", "unknown": "Nobody knows."},
)


@plugin.command("weather", usage="weather at PLACE")
async def weather(ctx: Context[None], place: str) -> None:
    """Tell the weather somewhere."""
    answer = await ctx.http.get(f"https://weather.example.org/now?at={quote(place)}")
    if answer.ok:
        await ctx.reply("weather/now", degrees=answer.json()["degrees"])
    else:
        await ctx.reply("weather/unknown")
