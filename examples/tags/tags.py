"""Order files by words of your own: tag, untag, tags; `find tag:invoice` finds them.

If one file alone has a tag, `get tag:invoice` is that file.
A file that is sent with `#words` in its caption has them as tags at once.
"""

import re
from typing import Final

from filebot.plugin import Context, Entry, EntryFilter, FileStored, Permission, Plugin, UserError, Words

MOST_TAGS: Final = 20
"""Tags of one file."""

plugin = Plugin[None](
    "tags",
    api=1,
    needs={"files.read", "store"},
    templates={
        "has": "{{ name|quoted }} has the tags {{ tags|join(', ')|line }}.",
        "none": "{{ name|quoted }} has no tags. To add some, type:"
        " {{ prefix }}tag {{ name|line }} as WORDS",
        "many": "A file has 20 tags at most. To remove some, type: {{ prefix }}untag FILE from WORDS",
    },
)


class TooManyTags(UserError):
    """The file would have more than ``MOST_TAGS``."""

    template = "tags/many"


@plugin.command("tag", usage="tag FILE as WORDS", permission=Permission.OWNER)
async def tag(ctx: Context[None], file: Entry, words: Words) -> None:
    """Give a file tags."""
    await add(ctx, file, words.split())
    await show(ctx, file)


@plugin.command("untag", usage="untag FILE from WORDS", permission=Permission.OWNER)
async def untag(ctx: Context[None], file: Entry, words: Words) -> None:
    """Take tags off a file."""
    for word in words.split():
        await ctx.store.entry(file).delete(key_of(word))
    await show(ctx, file)


@plugin.command("tags", usage="tags FILE")
async def tags(ctx: Context[None], file: Entry) -> None:
    """Show the tags of a file."""
    await show(ctx, file)


@plugin.filter("tag")
async def having(ctx: Context[None], word: str) -> EntryFilter:
    """Find files by a tag."""
    return ctx.store.having(key_of(word))


@plugin.resolver
async def only_one(ctx: Context[None], wanted: str) -> Entry | None:
    """Let `tag:invoice` be the one file with this tag, if there are not more."""
    if not wanted.startswith("tag:"):
        return None
    found = await ctx.files.search(wanted, limit=2)
    return found[0] if len(found) == 1 else None


@plugin.on(FileStored)
async def read_caption(ctx: Context[None], event: FileStored) -> None:
    """Tag a file as its caption says."""
    words = re.findall(r"(?<!\S)#(\w+)", event.entry.caption)
    await add(ctx, event.entry, words[:MOST_TAGS])


async def add(ctx: Context[None], file: Entry, words: list[str]) -> None:
    """Add tags to those that a file has."""
    keys = {key_of(word) for word in words}
    known = {key for key, _ in await ctx.store.entry(file).items("tag:")}
    if len(keys | known) > MOST_TAGS:
        raise TooManyTags
    for key in sorted(keys - known):
        await ctx.store.entry(file).set(key, True)


async def show(ctx: Context[None], file: Entry) -> None:
    """Tell which tags a file has."""
    found = [key.removeprefix("tag:") for key, _ in await ctx.store.entry(file).items("tag:")]
    await ctx.reply("tags/has" if found else "tags/none", name=file.name, tags=found)


def key_of(word: str) -> str:
    """Return the key that a file with this tag has in the store."""
    return f"tag:{word.removeprefix('#').casefold()[:100]}"
