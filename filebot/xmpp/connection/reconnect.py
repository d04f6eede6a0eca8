"""Keeps one stream online: connects, watches over it, and connects again for ever (RFC 6120 section 3.3).

::

    waiting --> connecting --> negotiating --> online --+
       ^             |              |                   |
       +-------------+--------------+-- back-off -------+

slixmpp reconnects by itself only while no TCP connection can be made, and always at the same pace: a server
that comes back would meet all its bots at once. So its attempts are cut after one round of addresses, and
the waits are made here.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final

from filebot.concurrency.backoff import SPREAD, Backoff
from filebot.concurrency.tasks import race
from filebot.errors import LoginFailed
from filebot.xmpp.connection.authentication import REFUSED, refused_backoff, try_once
from filebot.xmpp.connection.ping import server_answers
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import ClientStream, Stream

log = logging.getLogger(__name__)

CONNECT_LIMIT_S: Final = 90.0
NEGOTIATION_LIMIT_S: Final = 60.0
PING_INTERVAL_S: Final = 60.0
PING_LIMIT_S: Final = 30.0
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
STABLE_AFTER_S: Final = 60.0
"""A connection that lived this long was a good one: the next wait is short again."""


class StreamKeeper:
    """Owns the life of a stream. :meth:`run` is its one task."""

    def __init__(
        self,
        stream: Stream,
        settings: SessionSettings,
        online: Callable[[bool], Coroutine[Any, Any, None]],
        most_attempts: int | None = None,
    ) -> None:
        """``online`` is awaited whenever a session has begun; True if it is the old one, resumed.

        A server that was never reached is given up after ``most_attempts``.
        """
        self.trouble = ""
        """Why the last attempt failed; empty if none did."""
        self._most_attempts = most_attempts
        self._stream = stream
        self._settings = settings
        self._online = online
        self._up: asyncio.Future[bool | None] | None = None
        self._down = asyncio.Event()
        self._refusal = ""
        self._backoff = Backoff(FIRST_WAIT_S, LONGEST_WAIT_S, SPREAD)
        self._refused_backoff = refused_backoff()
        self._was_online = False
        self._last = False
        stream.add_event_handler("session_start", lambda _: self._begin(resumed=False))
        stream.add_event_handler("session_resumed", lambda _: self._begin(resumed=True))
        stream.add_event_handler("disconnected", self._end)
        stream.add_event_handler("ssl_invalid_chain", self._distrust)
        stream.add_event_handler("connection_failed", self._unreached)
        stream.add_event_handler("no_auth", self._no_mechanism)
        if isinstance(stream, ClientStream):
            try_once(stream, self.refuse)

    async def run(self) -> None:
        """Return only after :meth:`finish`. Raises LoginFailed if the first login is refused for good, and
        ConnectionError if the server is given up.
        """
        while True:
            try:
                lived_s = await self._live_once()
            except Exception:  # whatever it was, the bot has to come back
                log.exception("the session broke")
                lived_s = 0.0
            if self._last:
                return
            if self._refusal in REFUSED:
                await self._wait_refused()
                continue
            if lived_s > STABLE_AFTER_S:
                self._backoff.reset()
            wait = self._backoff.next_s()
            why = self.trouble or "the connection ended"
            if self._backoff.failures == self._most_attempts and not self._was_online:
                raise ConnectionError(f"no connection in {self._most_attempts} attempts: {why}")
            log.warning("not connected (%s); trying again in %.1f s", why, wait)
            await asyncio.sleep(wait)

    async def _wait_refused(self) -> None:
        """Wait long: each further attempt brings a ban of the bot's address nearer.

        Raises LoginFailed if it was never online.
        """
        refusal = LoginFailed(self._refusal)
        if not self._was_online:
            raise refusal
        wait = self._refused_backoff.next_s()
        remedy = "if the password was changed, write the new one into the config and start the bot again"
        log.error("%s; %s; trying again in %.0f minutes", refusal, remedy, wait / 60)
        await asyncio.sleep(wait)

    def finish(self) -> None:
        """The next end of the stream is wanted."""
        self._last = True

    def refuse(self, condition: str) -> None:
        """Note why the server does not let us in (SASL failure or stream error)."""
        self._refusal = condition
        self.trouble = f"the server answered: {condition}"
        log.warning("the server answered: %s", condition)

    async def _live_once(self) -> float:
        """One connection from its beginning to its end; returns the seconds that it was online."""
        loop = asyncio.get_running_loop()
        up: asyncio.Future[bool | None] = loop.create_future()
        self._up, self._refusal = up, ""
        self._down.clear()
        try:
            if not await self._connect():
                return 0.0
            async with asyncio.timeout(NEGOTIATION_LIMIT_S):
                resumed = await up
            if resumed is None:
                return 0.0
            began = loop.time()
            self._was_online, self._refusal, self.trouble = True, "", ""
            self._refused_backoff.reset()
            # Only while the connection lasts: then the answers that it waits for do not come.
            await race(self._online(resumed), self._down.wait())
            await self._watch()
            return loop.time() - began
        except TimeoutError:
            self.trouble = "the server does not finish the negotiation"
            return 0.0
        finally:
            self._up = None
            self._stream.abort()

    async def _connect(self) -> bool:
        log.info("connecting to %s", self._settings.host or self._stream.boundjid.domain)
        attempt = self._stream.connect(self._settings.host, self._settings.port)
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await attempt
        finally:
            # After a failed round slixmpp has already planned the next one: that is our business.
            self._stream.cancel_connection_attempt()
        if not self._stream.is_connected():
            return False
        self.trouble = ""
        return True

    async def _watch(self) -> None:
        """Return when the connection is gone, whether the socket says so or a ping (XEP-0199)."""
        while True:
            try:
                async with asyncio.timeout(PING_INTERVAL_S):
                    await self._down.wait()
            except TimeoutError:
                if await server_answers(self._stream, PING_LIMIT_S):
                    continue
                log.warning("the server does not answer")
            return

    def _begin(self, *, resumed: bool | None) -> None:
        if self._up is not None and not self._up.done():
            self._up.set_result(resumed)

    def _end(self, _: object) -> None:
        self._down.set()
        self._begin(resumed=None)

    def _unreached(self, why: object) -> None:
        if isinstance(why, ssl.SSLError):
            self._distrust(why)
        elif isinstance(why, OSError):
            self.trouble = str(why)
        else:  # slixmpp says so of the account's domain, whatever host was looked for
            host = self._settings.host or self._stream.boundjid.domain
            self.trouble = f"the host {host} cannot be found; look at xmpp.host and xmpp.jid"

    def _distrust(self, error: object) -> None:
        domain = self._stream.boundjid.domain
        self.trouble = f"the server's certificate is not valid for {domain}: {error}"
        self._end(error)

    def _no_mechanism(self, _: object) -> None:
        self.trouble = "the server offers no way to log in that the bot knows"
