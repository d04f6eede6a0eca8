"""Look through the files and put them in order: ls, find, more, info, rename, rm.

In a private chat these are your own files, in a room the room's, privately through a room both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from filebot.plugin import (
    Address,
    CommandGroup,
    Context,
    Entries,
    Entry,
    FilebotError,
    FileRemoved,
    Permission,
    Plugin,
    RemovalReason,
    StorageError,
    exact,
    read_phrases,
)

MOST_MATCHING = 500
"""Files that fit a pattern and are listed."""
ENDING = re.compile(r"(?<=[^\s.])\.(?=\w*[A-Za-z])[A-Za-z0-9]{1,5}\Z")
"""Ending of a name that says which kind of file it is."""
REMOVAL_LIMIT_S = 3600.0
"""Limit of a removal of several files: checks may take their time with each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.files]`."""

    page_size: int = 10
    """Files in one message of a list."""

    def __post_init__(self) -> None:
        if not 1 <= self.page_size <= 50:
            raise ValueError("page_size must be from 1 to 50")


PHRASES = read_phrases(Path(__file__).parent / "phrases" / "files.toml")

plugin = Plugin("files", api=1, settings=Settings, needs={"files.read", "files.write", "people"})


@plugin.command(
    "ls",
    usage="ls",
    aliases=("list", "dir", "列表", "文件"),
    group=CommandGroup.FILES,
    phrases=PHRASES["ls"],
    changes=False,
)
async def list_files(ctx: Context[Settings]) -> None:
    """List the files, newest first."""

    async def page(limit: int, before: int | None) -> list[Entry]:
        return await ctx.files.page(limit=limit, before=before)

    count, in_room, with_own = await ctx.files.count(), ctx.sender.room is not None, _with_own(ctx)
    if not await ctx.reply_pages(
        "files/list", page, size=ctx.settings.page_size, count=count, in_room=in_room, with_own=with_own
    ):
        await ctx.reply("files/none", in_room=in_room, with_own=with_own)


def _with_own(ctx: Context[Settings]) -> bool:
    """Tell whether a list has the files of the room and the sender's own."""
    return ctx.sender.room is not None and not ctx.sender.in_public and ctx.sender.jid is not None


@plugin.command(
    "find",
    usage="find WORDS",
    aliases=("search", "查找", "搜索"),
    group=CommandGroup.FILES,
    phrases=PHRASES["find"],
    changes=False,
)
async def find(ctx: Context[Settings], words: str) -> None:
    """Find files by words in their name or caption, or by a pattern such as *.pdf."""

    async def page(limit: int, before: int | None) -> list[Entry]:
        if not {"*", "?"} & set(words):
            return await ctx.files.search(words, limit=limit, before=before)
        found = await ctx.files.matching(words, limit=MOST_MATCHING)
        return [each for each in found if before is None or each.id < before][:limit]

    if not await ctx.reply_pages(
        "files/found", page, size=ctx.settings.page_size, words=words, in_room=ctx.sender.room is not None
    ):
        await ctx.reply("files/not_found", words=words)


@plugin.command(
    "more",
    usage="more",
    aliases=("next", "更多"),
    group=CommandGroup.FILES,
    phrases=PHRASES["more"],
    changes=False,
)
async def more(ctx: Context[Settings]) -> None:
    """Show the next part of a long list."""
    if not await ctx.reply_more():
        await ctx.reply("files/no_more")


@plugin.command(
    "info",
    usage="info NAME",
    aliases=("details", "信息", "详情"),
    group=CommandGroup.FILES,
    phrases=PHRASES["info"],
    changes=False,
)
async def info(ctx: Context[Settings], name: Entry) -> None:
    """Show everything that I know about a file."""
    await ctx.reply(
        "files/info", entry=name, lines=await ctx.entry_lines(name), in_room=ctx.sender.room is not None
    )


@plugin.command(
    "rename",
    usage=("rename OLD to NEW", "rename OLD NEW"),
    aliases=("mv", "重命名", "改名"),
    permission=Permission.OWNER,
    group=CommandGroup.FILES,
    phrases=PHRASES["rename"],
)
async def rename(ctx: Context[Settings], old: Annotated[Entry, exact], new: str) -> None:
    """Rename a file. Put names with spaces in quotes.

    The ending, such as .pdf, stays unless the new name has one.
    """
    renamed = await ctx.files.rename(old, _with_ending(new, old.name))
    await ctx.reply("files/renamed", old=old.name, entry=renamed)


def _with_ending(new: str, old: str) -> str:
    """Return a new name with the old ending if it has none: phones open files by their endings."""
    ending = ENDING.search(old)
    return new if ending is None or ENDING.search(new) is not None else new + ending[0]


@plugin.command(
    "rm",
    usage="rm NAME",
    aliases=("delete", "del", "remove", "删除"),
    permission=Permission.OWNER,
    limit_s=REMOVAL_LIMIT_S,
    group=CommandGroup.FILES,
    phrases=PHRASES["rm"],
)
async def remove(ctx: Context[Settings], name: Annotated[Entries, exact]) -> None:
    """Delete a file for good, or several.

    NAME is its full name, its number, such as #12, a pattern such as *.jpg, or several names or numbers
    with spaces between them. I ask before I delete several, or what a pattern matches.
    """
    entries, missing = name.entries, name.missing
    if len(entries) > 1 or name.by_pattern:
        await ctx.confirm("files/delete", entries=entries, size=_bytes(entries), missing=missing)
    if len(entries) == 1 and not missing:
        has_link = await ctx.files.has_link(entries[0])
        await ctx.files.remove(entries[0])
        await ctx.reply("files/removed", entry=entries[0], has_link=has_link)
    else:
        await _remove_each(ctx, entries, missing)


async def _remove_each(ctx: Context[Settings], entries: Sequence[Entry], missing: Sequence[str]) -> None:
    """Remove files one by one, and say what is gone and what is not, however that ends."""
    removed, failed, has_link = list[Entry](), list[tuple[Entry, FilebotError]](), False
    try:
        for entry in entries:
            try:
                has_link = await ctx.files.has_link(entry) or has_link
                await ctx.files.remove(entry)
                removed.append(entry)
            except FilebotError as error:
                failed.append((entry, error))
                if isinstance(error, StorageError):
                    break  # the others would fail as well
    finally:
        left = [entry for entry in entries if entry not in removed]
        size = _bytes(removed)
        await ctx.reply(
            "files/removed_some",
            removed=removed,
            size=size,
            left=left,
            missing=missing,
            has_link=has_link and bool(removed),
        )
    # Each kind of cause once.
    causes = {(cause.kind, cause.template): (entry, cause) for entry, cause in reversed(failed)}
    for entry, cause in causes.values():
        await ctx.reply_error(cause, entry.name)


@plugin.on(FileRemoved)
async def say_what_was_taken_back(ctx: Context[Settings], event: FileRemoved) -> None:
    """Tell the owner in private of a file that went with its message."""
    entry = event.entry
    if event.reason is RemovalReason.RETRACTION:
        await ctx.reply_aside("files/taken_back", entry=entry)
    elif event.reason is RemovalReason.MODERATION and "/" not in entry.owner:
        # Whom only the room knows cannot be found there by that.
        await ctx.tell(Address(entry.owner), "files/moderated", entry=entry, room=entry.room)


def _bytes(entries: Sequence[Entry]) -> int:
    return sum(entry.blob.size for entry in entries)
