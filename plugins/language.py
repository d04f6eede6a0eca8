"""Choose the language of the replies."""

from pathlib import Path

from filebot.plugin import CommandGroup, Context, Plugin, read_phrases

PHRASES = read_phrases(Path(__file__).parent / "phrases" / "settings.toml")

plugin = Plugin[None]("language", api=1, needs={"people"})


@plugin.command(
    "lang",
    usage="lang [LANGUAGE]",
    aliases=("language", "语言"),
    group=CommandGroup.SETTINGS,
    phrases=PHRASES["lang"],
    changes=False,
)
async def choose_language(ctx: Context[None], language: str) -> None:
    """Choose my language, such as en or zh, or show which ones I speak."""
    if not language:
        await ctx.reply("language/known", languages=ctx.languages())
    elif await ctx.choose_language(language) is None:
        await ctx.reply("language/unknown", wanted=language, languages=ctx.languages())
    else:
        await ctx.reply("language/chosen")
