"""Tell people how the bot sees them, and in which language it speaks."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None](
    "mirror",
    api=1,
    needs={"people"},
    templates={
        "you": "You are {{ who|line }}. I am {{ bot }}, and know {{ count }} commands for you here.",
        "heard": "{{ 'You replied to ' ~ message if message else 'That was no reply' }} ({{ usage }}).",
        "spoken": "I speak {{ language }} with you.",
        "unknown": "I speak {{ languages|join(' and ') }} only.",
    },
)


@plugin.command("whoami", usage="whoami")
async def whoami(ctx: Context[None]) -> None:
    """Tell how I see you."""
    who, count = ctx.sender.identity or ctx.sender.nick, len(ctx.commands.all())
    await ctx.reply_aside("mirror/you", who=who, bot=ctx.own_address, count=count)


@plugin.command("heard", usage=("heard TEXT", "heard"))
async def heard(ctx: Context[None], text: str) -> None:
    """Tell what your message replies to."""
    await ctx.reply("mirror/heard", message=ctx.replies_to, usage=ctx.usage)


@plugin.command("speak", usage="speak LANGUAGE")
async def speak(ctx: Context[None], language: str) -> None:
    """Speak another language with you."""
    if await ctx.choose_language(language) is None:
        await ctx.reply("mirror/unknown", languages=ctx.languages())
    else:
        await ctx.reply("mirror/spoken", language=ctx.language)
