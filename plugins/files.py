"""Look through the files and put them in order: ls, find, more, info, rename, rm.

In a private chat these are your own files, in a room the room's.
"""

from dataclasses import dataclass
from typing import Annotated

from filebot.plugin import Context, Entry, Permission, Plugin, exact


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.files]`."""

    page_size: int = 10
    """Files in one message of a list."""

    def __post_init__(self) -> None:
        if not 1 <= self.page_size <= 50:
            raise ValueError("page_size must be from 1 to 50")


plugin = Plugin("files", api=1, settings=Settings, needs={"files.read", "files.write"})


@plugin.command("ls", usage="ls", aliases=("list", "dir", "列表"))
async def list_files(ctx: Context[Settings]) -> None:
    """List the files, newest first."""

    async def page(limit: int, before: int | None) -> list[Entry]:
        return await ctx.files.page(limit=limit, before=before)

    count, in_room = await ctx.files.count(), ctx.sender.room is not None
    if not await ctx.reply_pages(
        "files/list", page, size=ctx.settings.page_size, count=count, in_room=in_room
    ):
        await ctx.reply("files/none", in_room=in_room)


@plugin.command("find", usage="find WORDS", aliases=("search",))
async def find(ctx: Context[Settings], words: str) -> None:
    """Find files by words in their name or caption."""

    async def page(limit: int, before: int | None) -> list[Entry]:
        return await ctx.files.search(words, limit=limit, before=before)

    if not await ctx.reply_pages("files/found", page, size=ctx.settings.page_size, words=words):
        await ctx.reply("files/not_found", words=words)


@plugin.command("more", usage="more", aliases=("next",))
async def more(ctx: Context[Settings]) -> None:
    """Show the next part of a long list."""
    if not await ctx.reply_more():
        await ctx.reply("files/no_more")


@plugin.command("info", usage="info NAME")
async def info(ctx: Context[Settings], name: Entry) -> None:
    """Show everything that I know about a file."""
    await ctx.reply("files/info", entry=name, lines=await ctx.entry_lines(name))


@plugin.command(
    "rename", usage=("rename OLD to NEW", "rename OLD NEW"), aliases=("mv",), permission=Permission.OWNER
)
async def rename(ctx: Context[Settings], old: Annotated[Entry, exact], new: str) -> None:
    """Rename a file. Put names with spaces in quotes."""
    await ctx.reply("files/renamed", old=old.name, entry=await ctx.files.rename(old, new))


@plugin.command("rm", usage="rm NAME", aliases=("delete", "del", "remove"), permission=Permission.OWNER)
async def remove(ctx: Context[Settings], name: Annotated[Entry, exact]) -> None:
    """Delete a file for good. NAME is its full name, or its number, such as #12."""
    await ctx.files.remove(name)
    await ctx.reply("files/removed", entry=name)
