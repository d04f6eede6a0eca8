"""Seal files: whoever asks for one has to say that they mean it."""

from filebot.plugin import Context, FileRequested, Plugin, Refusal

plugin = Plugin[None](
    "seal",
    api=1,
    needs={"checks", "store"},
    templates={
        "sealed": "{{ error.values.name|quoted }} is sealed. If you mean it, type: {{ prefix }}unseal",
        "open": "Ask for it now.",
    },
)


@plugin.check(FileRequested)
async def ask(ctx: Context[None], request: FileRequested) -> None:
    """Keep a sealed file from whoever has not said that they mean it."""
    if request.entry.name.startswith("secret"):
        person = ctx.store.person(ctx.sender.identity)
        if not await person.get("unsealed", False):
            raise Refusal("seal/sealed", name=request.entry.name)


@plugin.command("unseal", usage="unseal")
async def unseal(ctx: Context[None]) -> None:
    """Let sealed files go to you."""
    await ctx.store.person(ctx.sender.identity).set("unsealed", True)
    await ctx.reply("seal/open")
