"""Write down what people store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filebot.plugin import Context, FileStored, Life, Plugin


@dataclass(frozen=True)
class Settings:
    path: Path = Path("journal.txt")


plugin = Plugin("journal", api=1, settings=Settings)


@plugin.lifespan
async def journal(life: Life[Settings]) -> AsyncIterator[IO[Any]]:
    """Keep the journal open."""
    file = await life.run_blocking(open, life.settings.path, "a")
    try:
        yield file
    finally:
        await life.run_blocking(file.close)


@plugin.on(FileStored)
async def note(ctx: Context[Settings], event: FileStored) -> None:
    await ctx.run_blocking(print, event.name, file=ctx.state(journal))
