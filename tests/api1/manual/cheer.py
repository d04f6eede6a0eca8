"""Cheer as the operator wants."""

from dataclasses import dataclass

from filebot.plugin import Context, Plugin


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.cheer]`."""

    words: str = "Hurrah"
    times: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.times <= 3:
            raise ValueError("times must be from 1 to 3")


plugin = Plugin("cheer", api=1, settings=Settings, templates={"said": "{{ words|line }}."})


@plugin.command("cheer", usage="cheer")
async def cheer(ctx: Context[Settings]) -> None:
    """Cheer."""
    await ctx.reply("cheer/said", words=" ".join([ctx.settings.words] * ctx.settings.times))
