"""Lines about a file: what all plugins have to say about it, each for itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.plugin.declare_entry_lines import EntryLinesSpec
from filebot.plugin.handlers import call_limited, named

log = logging.getLogger(__name__)

LINES_LIMIT_S: Final = 5.0
"""Time that a plugin has to say something about a file."""
MOST_CHARACTERS: Final = 1000
"""Characters that one function of a plugin adds to an answer."""


async def lines_about(
    specs: Sequence[EntryLinesSpec], ask: Callable[[EntryLinesSpec], Awaitable[object]]
) -> list[str]:
    """Return what plugins say about a file, in the order of their declarations; ``ask`` calls a function.

    One that fails, takes too long or returns no text says nothing, which the log tells.
    """
    texts = await asyncio.gather(*(_text_of(spec, ask(spec)) for spec in specs))
    return [text for text in texts if text]


async def _text_of(spec: EntryLinesSpec, asked: Awaitable[object]) -> str:
    try:
        text = await call_limited(asked, named(spec.plugin, spec.hook), LINES_LIMIT_S)
    except TimeLimitExceeded:
        log.error("plugin %s, %s took over %s s", spec.plugin, spec.hook, LINES_LIMIT_S)
        return ""
    except Exception:
        log.exception("plugin %s, %s failed", spec.plugin, spec.hook)
        return ""
    if not isinstance(text, str | None):
        log.error("plugin %s, %s returned %s, not a text", spec.plugin, spec.hook, type(text).__name__)
        return ""
    return (text or "").strip()[:MOST_CHARACTERS]
