"""Words of your own for files: `tag NAME as WORD`, then `tagged WORD`."""

from pathlib import Path

import sqlalchemy as sa

from filebot.plugin import Context, Plugin

plugin = Plugin[None](
    "tags",
    api=1,
    needs={"files.read", "db"},
    migrations=Path(__file__).with_name("tags_migrations"),
    templates={"done": "{{ name|quoted }} is tagged.", "count": "{{ count }} files."},
)

words = sa.table("tags_words", sa.column("entry_id", sa.Integer), sa.column("word", sa.Text))


@plugin.command("tag", usage="tag NAME as WORD")
async def tag(ctx: Context[None], name: str, word: str) -> None:
    """Give a file a word of your own."""
    entry = await ctx.files.one(name)
    new = sa.insert(words).values(entry_id=entry.id, word=word)
    await ctx.db.write(lambda db: db.execute(new))
    await ctx.reply("tags/done", name=entry.name)


@plugin.command("tagged", usage="tagged WORD")
async def tagged(ctx: Context[None], word: str) -> None:
    """Count the files with a word."""
    count = sa.select(sa.func.count()).select_from(words).where(words.c.word == word)
    await ctx.reply("tags/count", count=await ctx.db.read(lambda db: db.scalar(count)))
