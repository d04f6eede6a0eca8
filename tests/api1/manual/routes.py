"""Tell how a file of some size would reach you."""

from filebot.plugin import Context, Permission, Place, Plugin, Size

plugin = Plugin[None](
    "routes",
    api=1,
    needs={"delivery"},
    templates={
        "plan": "{% for step in plan.steps %}{{ loop.index }}. {{ step.method.value }}\n{% endfor %}",
        "none": "That would not reach you now.",
    },
)


@plugin.command("routes", usage="routes SIZE", permission=Permission.SERVED, place=Place.PRIVATE)
async def routes(ctx: Context[None], size: Size) -> None:
    """Tell how a file of some size would reach you."""
    plan = await ctx.delivery.plan(size)
    await ctx.reply("routes/plan" if plan.steps else "routes/none", plan=plan)
