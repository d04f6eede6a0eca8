"""Lines about a file: what all plugins have to say about it, each for itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from filebot.errors import PluginError
from filebot.failures import blame, origin_of, report
from filebot.plugin.declare_entry_lines import EntryLinesSpec

LINES_LIMIT_S: Final = 5.0
"""Time that a plugin has to say something about a file."""
MOST_CHARACTERS: Final = 1000
"""Characters that one function of a plugin adds to an answer."""


async def lines_about(
    specs: Sequence[EntryLinesSpec], ask: Callable[[EntryLinesSpec], Awaitable[object]]
) -> list[str]:
    """Return what plugins say about a file, in the order of their declarations; ``ask`` calls a function
    within its limit.

    One that fails, takes too long or returns no text says nothing, which the log tells.
    """
    texts = await asyncio.gather(*(_text_of(spec, ask(spec)) for spec in specs))
    return [text for text in texts if text]


async def _text_of(spec: EntryLinesSpec, asked: Awaitable[object]) -> str:
    try:
        text = await asked
        if not isinstance(text, str | None):
            raise PluginError(f"it returned {type(text).__name__}; return a text, or None for no line")  # noqa: TRY301
    except Exception as error:  # noqa: BLE001 - nothing of a plugin passes
        report(blame(error, origin_of(spec.plugin, spec.hook, spec.handler)))
        return ""
    return (text or "").strip()[:MOST_CHARACTERS]
