"""Guest book."""

from typing import Any

from filebot.plugin import Context, Identity, Plugin

plugin = Plugin[None]("guests", api=1, needs={"store"}, templates={"thanks": "Thank you."})


@plugin.command("sign", usage="sign TEXT")
async def sign(ctx: Context[None], text: str) -> None:
    """Write into the guest book."""
    await ctx.store.set(f"{ctx.sender.identity}", text)
    await ctx.reply("guests/thanks")


@plugin.export
async def export(ctx: Context[None], person: Identity) -> Any:
    return await ctx.store.get(person)


@plugin.forget
async def forget(ctx: Context[None], person: Identity) -> None:
    await ctx.store.delete(person)
