"""Keep a small picture of each picture; `thumbnail FILE` sends it.

It needs Pillow: install it beside filebot with `pip install pillow`. Pictures come from strangers, so each
is read in a process of its own.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.plugin import (
    Context,
    Entry,
    FileAutoArchived,
    FileShared,
    FileStored,
    IsolatedError,
    Limits,
    Plugin,
    PluginError,
    UserError,
)

try:
    from PIL import Image
except ImportError as error:
    raise PluginError("it needs Pillow; install it beside filebot: pip install pillow") from error

MOST_PIXELS: Final = 50_000_000
"""Pixels of the largest picture: each takes four bytes of memory."""
LIMITS: Final = Limits(seconds=60, memory_bytes=512 * 1024 * 1024)
"""Limits of the process that reads a picture."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.thumbnails]`."""

    pixels: int = 256
    """Width or height of a small picture, whichever is more."""

    def __post_init__(self) -> None:
        if not 16 <= self.pixels <= 1024:
            raise ValueError("pixels must be from 16 to 1024")


@dataclass(frozen=True, slots=True)
class Picture:
    """Payload of the job that makes a small picture."""

    entry_id: int


plugin = Plugin(
    "thumbnails",
    api=1,
    settings=Settings,
    needs={"files.read", "files.write", "files.send", "files.annotate", "jobs"},
    templates={"none": "I have no thumbnail of {{ name|quoted }}."},
)


@plugin.on(FileStored, durable=True)
async def stored(ctx: Context[Settings], event: FileStored) -> None:
    """Have a thumbnail made of a picture that came."""
    await want(ctx, event.entry)


@plugin.on(FileShared, durable=True)
async def shared(ctx: Context[Settings], event: FileShared) -> None:
    """Have one made for a room: what is sent there is another entry, without attachments."""
    await want(ctx, event.entry)


@plugin.on(FileAutoArchived, durable=True)
async def archived(ctx: Context[Settings], event: FileAutoArchived) -> None:
    """Have one made of what a room's archive kept."""
    await want(ctx, event.entry)


async def want(ctx: Context[Settings], entry: Entry) -> None:
    """Add the job, once for each picture."""
    if entry.media_type.startswith("image/"):
        await ctx.jobs.add("make", Picture(entry.id), key=str(entry.id))


@plugin.job("make", limit_s=300)
async def make(ctx: Context[Settings], picture: Picture) -> None:
    """Make a thumbnail and attach it."""
    try:
        entry = await ctx.files.with_id(picture.entry_id)
        async with ctx.files.path(entry) as path:
            small = await ctx.run_isolated(shrink, path, ctx.settings.pixels, MOST_PIXELS, limits=LIMITS)
        if small is not None:
            data, width, height = small
            await ctx.files.attach(entry, "thumbnail", data, media_type="image/png")
            await ctx.files.annotate(entry, {"width": width, "height": height})
    except IsolatedError:
        return  # the picture is a bad one, and would be the next time
    except UserError:
        return  # the file is gone, or its owner has no space left for more


@plugin.command("thumbnail", usage="thumbnail FILE")
async def send(ctx: Context[Settings], file: Entry) -> None:
    """Send a small picture of a picture."""
    async with ctx.files.attached(file, "thumbnail") as small:
        data = None if small is None else await small.read()
    if data is None:
        await ctx.reply("thumbnails/none", name=file.name)
        return
    kept = await ctx.files.add(f"small {file.name}.png", data)
    await ctx.files.send_here(kept.entry)


def shrink(path: Path, pixels: int, most_pixels: int) -> tuple[bytes, int, int] | None:
    """Return a small picture as PNG, its width and height; None for what is no picture, or too large."""
    written = io.BytesIO()
    try:
        with Image.open(path) as image:
            if image.width * image.height > most_pixels:
                return None
            image.thumbnail((pixels, pixels))
            image.convert("RGBA").save(written, "PNG")
            return written.getvalue(), image.width, image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
