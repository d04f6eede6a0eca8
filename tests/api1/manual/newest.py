"""List the newest files."""

from filebot.plugin import Context, Entry, Plugin

plugin = Plugin[None](
    "newest",
    api=1,
    needs={"files.read"},
    templates={
        "list": "{% for entry in entries %}{{ entry.name|line }}\n{% endfor %}"
        "{% if more %}For more, type: {{ prefix }}more{% endif %}",
        "none": "There are no files here.",
    },
)


@plugin.command("newest", usage="newest")
async def newest(ctx: Context[None]) -> None:
    """List the newest files."""

    async def page(limit: int, before: int | None) -> list[Entry]:
        return await ctx.files.page(limit=limit, before=before)

    if not await ctx.reply_pages("newest/list", page, size=10):
        await ctx.reply("newest/none")
