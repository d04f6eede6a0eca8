"""The bytes of a session in which the bot sends, whoever began it."""

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from filebot.errors import PeerProtocolError, TransferTimeout
from filebot.model import Method
from filebot.protocol.jingle.effects import Route
from filebot.xmpp.jingle.driver import Driver
from filebot.xmpp.jingle.errors import failure_of
from filebot.xmpp.si.outgoing import pieces_of


async def send_bytes(driver: Driver, file: Path, progress: Callable[[int], None]) -> Method:
    """Wait until bytes may move, move them, and wait until the peer has them. Raises TransferError.

    ``progress`` is told how far in the file it is.
    """
    route = await driver.route
    size = driver.session.expected_bytes
    if size is None:
        raise PeerProtocolError("a file of which nobody knows the size")
    await driver.unless_ended(_move(driver, route, file, size, progress))
    driver.perform(driver.session.sent())
    if (failure := failure_of(await driver.ended)) is not None:
        raise failure
    return route.method


async def _move(
    driver: Driver, route: Route, file: Path, size: int, progress: Callable[[int], None]
) -> None:
    offset = driver.session.range.offset

    def moved(done: int) -> None:
        progress(offset + done)

    if route is Route.IN_BAND:
        async with aclosing(pieces_of(file, offset, size)) as pieces:
            # COMPAT(Dino): a close throws away what is not read yet, so it waits for the session's end.
            await driver.ibb_sender.send_all(pieces, size, moved)
    elif driver.connection is not None:
        try:
            await driver.connection.send_file(file, offset, size, moved)
        except TransferTimeout:
            driver.dials.stalled()
            raise
