"""Show what is moving, and stop it."""

from pathlib import Path

from filebot.plugin import CommandGroup, Context, FileQueued, Permission, Plugin, read_phrases

PHRASES = read_phrases(Path(__file__).parent / "phrases" / "settings.toml")

plugin = Plugin[None]("transfers", api=1, needs={"files.send"})

QUEUED_SHOWN = 10
"""Files shown that wait for others: there may be hundreds."""


@plugin.command(
    "transfers",
    usage="transfers",
    aliases=("queue", "传输"),
    permission=Permission.SERVED,
    group=CommandGroup.TRANSFERS,
    phrases=PHRASES["transfers"],
    changes=False,
)
async def show_transfers(ctx: Context[None]) -> None:
    """Show your files that are on their way, or waiting for somebody to come online."""
    running, waiting = ctx.files.transfers(), await ctx.files.waiting()
    moving = [each for each in running if not each.waits]
    queued = [each for each in running if each.waits]
    # The names of files are for their owner only.
    await ctx.reply_aside(
        "transfers/list",
        transfers=moving + queued[:QUEUED_SHOWN],
        more=max(0, len(queued) - QUEUED_SHOWN),
        waiting=waiting,
    )


@plugin.on(FileQueued)
async def say_that_it_is_queued(ctx: Context[None], event: FileQueued) -> None:
    """Whoever waits hears for what."""
    await ctx.reply("transfers/queued", event=event)


@plugin.command(
    "cancel",
    usage="cancel NUMBER",
    aliases=("stop", "取消传输"),
    permission=Permission.OWNER,
    group=CommandGroup.TRANSFERS,
    phrases=PHRASES["cancel"],
)
async def cancel(ctx: Context[None], number: int) -> None:
    """Stop a file that is on its way or waiting. "transfers" shows its NUMBER."""
    dropped = await ctx.files.cancel(number)
    if dropped is not None:  # one that moves says by itself that it was stopped, as soon as it is
        await ctx.reply_aside("transfers/dropped", dropped=dropped)
