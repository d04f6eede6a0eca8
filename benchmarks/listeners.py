"""Cost of plugins that listen. Run as ``python -m benchmarks.listeners``.

A drop to a bot with ten more plugins, each of which listens for stored files, against one to a bot without
them. The bots take turns; a ratio is the median of those of all rounds. The catalog is on the disk, as a
real bot's is; chat, HTTP and store are fakes, so that little but the bot's own work is measured. What
nobody waits for is done after each answer, and its time is shown beside it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from filebot.files.quota import StorageLimits
from filebot.plugin import Context, FileStored, Plugin
from filebot.testing import ALICE, FakeBot, open_catalog

PLUGINS: Final = 10
SIZE: Final = 20_000
AT_MOST: Final = 1.1
WARM_UP: Final = 10
NONE: Final = "none"
KINDS: Final[dict[str, dict[str, Any]]] = {
    "part of the answer": {},
    "at once": {"at_once": True},
    "durable": {"durable": True},
}
LIMITS: Final = StorageLimits(10**9, 10**12, 10**12, 10**12)


def listening(kind: dict[str, Any]) -> list[Plugin[Any]]:
    """Return plugins that listen for stored files, and do nothing."""
    return [_listening(f"listener{number}", kind) for number in range(PLUGINS)]


def _listening(name: str, kind: dict[str, Any]) -> Plugin[Any]:
    plugin = Plugin[None](name, api=1)

    @plugin.on(FileStored, **kind)
    async def stored(ctx: Context[None], event: FileStored) -> None:
        """Hear of it."""

    return plugin


async def bot(stack: AsyncExitStack, folder: Path, *plugins: Plugin[Any]) -> FakeBot:
    """Start a bot with a catalog of its own."""
    await asyncio.to_thread(folder.mkdir)
    catalog = await stack.enter_async_context(open_catalog(folder / "catalog.sqlite"))
    return await stack.enter_async_context(FakeBot(*plugins, limits=LIMITS, catalog=catalog))


async def dropped(bot: FakeBot, number: int) -> tuple[float, float, float]:
    """Return seconds: of one drop with its answer, of CPU time meanwhile, and of what is done later."""
    content = number.to_bytes(4, "big") * (SIZE // 4)
    start, cpu = time.perf_counter(), time.process_time()
    [answer] = await bot.drop(f"{number}.bin", content, ALICE)
    end, cpu_end = time.perf_counter(), time.process_time()
    if not answer.startswith("Stored"):
        raise RuntimeError(answer)
    await bot.listeners_done()
    await bot.jobs.run()
    return end - start, cpu_end - cpu, time.perf_counter() - end


async def compare(folder: Path, rounds: int) -> bool:
    """Measure and print; return whether the goals are reached."""
    taken: list[dict[str, tuple[float, float, float]]] = []
    async with AsyncExitStack() as stack:
        bots = {NONE: await bot(stack, folder / NONE)}
        for name, kind in KINDS.items():
            bots[name] = await bot(stack, folder / name.replace(" ", "_"), *listening(kind))
        for number in range(rounds + WARM_UP):
            # Each is the first one of a round as often as the others.
            first = number % len(bots)
            names = [*bots][first:] + [*bots][:first]
            taken.append({name: await dropped(bots[name], number) for name in names})
    return report(taken[WARM_UP:])


def report(rounds: list[dict[str, tuple[float, float, float]]]) -> bool:
    """Print medians and ratios; return whether all goals are reached."""
    reached = True
    columns = f"{'ms':>8}{'ratio':>8}{'CPU ms':>8}{'ratio':>8}{'later ms':>10}{'at most':>9}"
    print(f"{PLUGINS} plugins that listen{columns}")
    for name in rounds[0]:
        row = f"{name:24}"
        for which in (0, 1):
            ratio = median(each[name][which] / each[NONE][which] for each in rounds)
            row += f"{median(each[name][which] for each in rounds) * 1000:>8.2f}{ratio:>8.2f}"
            reached &= which == 1 or ratio <= AT_MOST
        row += f"{median(each[name][2] for each in rounds) * 1000:>10.2f}"
        print(row + ("" if name == NONE else f"{AT_MOST:>9.1f}"))
    return reached


def main() -> int:
    """Return the exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        return 0 if asyncio.run(compare(Path(folder), options.rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
