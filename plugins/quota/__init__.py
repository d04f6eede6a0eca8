"""Tell people how much of their storage they have used."""

from dataclasses import dataclass
from pathlib import Path

from filebot.plugin import CommandGroup, Context, FileStored, Permission, Plugin, read_phrases


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.quota]`."""

    warn_at: float = 0.9
    """Share of the quota, 0 to 1, from which on every drop is answered with a warning."""

    def __post_init__(self) -> None:
        if not 0 < self.warn_at <= 1:
            raise ValueError("warn_at must be over 0 and at most 1")


PHRASES = read_phrases(Path(__file__).parent.parent / "phrases" / "settings.toml")

plugin = Plugin("quota", api=1, settings=Settings, needs={"files.read"}, package=__name__)


@plugin.command(
    "quota",
    usage="quota",
    aliases=("usage", "space", "配额", "空间"),
    permission=Permission.OWNER,
    group=CommandGroup.SETTINGS,
    phrases=PHRASES["quota"],
    changes=False,
)
async def show_quota(ctx: Context[Settings]) -> None:
    """Show how much space you have used and how much is left."""
    await ctx.reply_aside("quota/usage", usage=await ctx.files.usage())


@plugin.on(FileStored)
async def warn_when_nearly_full(ctx: Context[Settings], event: FileStored) -> None:
    """Before the quota refuses a file, not after."""
    usage = await ctx.files.usage()
    if not event.already_known and usage.used_bytes >= ctx.settings.warn_at * usage.limit_bytes:
        await ctx.reply_aside("quota/nearly_full", usage=usage)
