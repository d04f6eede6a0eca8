"""Lines about a room: what plugins add to its state, each for itself."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from filebot.failures import blame, origin_of, report
from filebot.plugin.declare_rooms import RoomLineSpec
from filebot.plugin.rooms import RoomLine

ROOM_LINE_LIMIT_S: Final = 2.0


async def lines_of_room(
    specs: Sequence[RoomLineSpec],
    ask: Callable[[RoomLineSpec], Awaitable[object]],
    render: Callable[[RoomLine], object],
) -> list[RoomLine]:
    """Return what plugins add to the state of a room; ``ask`` calls a function within its limit,
    ``render`` shows a line.

    One that fails adds nothing, which is logged.
    """
    lines = [await _line(spec, ask(spec), render) for spec in specs]
    return [line for line in lines if line is not None]


async def _line(
    spec: RoomLineSpec, asked: Awaitable[object], render: Callable[[RoomLine], object]
) -> RoomLine | None:
    try:
        value = await asked
        if value is None:
            return None
        line = RoomLine(spec.template, value)
        # Tried here, so that words that fail do not spoil the whole answer.
        render(line)
    except Exception as error:  # noqa: BLE001 - a plugin must not leave anybody without an answer
        report(blame(error, origin_of(spec.plugin, spec.hook, spec.handler)))
        return None
    return line
