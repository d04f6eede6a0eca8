"""Say how old a file is."""

from filebot.plugin import Context, Entry, Plugin

plugin = Plugin[None]("age", api=1, templates={"line": "Age: {{ age|duration }}"})


@plugin.entry_lines
async def age(ctx: Context[None], entry: Entry) -> str | None:
    """Only of older files."""
    age_s = (ctx.now - entry.created_at).total_seconds()
    return ctx.render("age/line", age=age_s) if age_s >= 3600 else None
