"""Look-up of names: bounded, fair, with a time limit, and for aiohttp only what the address policy allows.

The connection is made to exactly the addresses returned here, so a name that changes its address between
check and use (DNS rebinding) gains nothing. aiohttp does not ask for hosts that are addresses already:
those are the business of ``AddressPolicy.check``.
"""

import asyncio
import encodings.idna  # noqa: F401 - imported at the first look-up otherwise, which may find no descriptor left
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

from filebot.concurrency.locks import ON_BEHALF_OF, FairSemaphore, Shares, Ticket
from filebot.errors import ForbiddenTarget
from filebot.transfer.address_policy import AddressPolicy

LOOK_UP_S: Final = 10.0
"""For one name, the wait for a thread included."""
SHARES: Final = Shares(total=32, per_person=4)
"""Look-ups at once. The system's may take half a minute for a name whose servers do not answer, and nothing
can stop it: until it has ended it counts, so nobody has more threads than that."""
MOST_ADDRESSES: Final = 3
"""Addresses of one name: aiohttp would try hundreds beside each other."""

Found = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]
"""Result of :func:`socket.getaddrinfo`."""


class NameLookup:
    """Asks the system for addresses, each time in a thread of its own.

    In no pool: a pool's threads are waited for at the end of the process, these are not.
    """

    def __init__(self, look_up: Callable[..., Any] | None = None, shares: Shares = SHARES) -> None:
        """``look_up`` is called as :func:`socket.getaddrinfo`, by default that."""
        self._look_up = look_up
        self._threads = FairSemaphore(shares)

    async def addresses(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> Found:
        """All of a name's. Raises OSError, also when it takes too long, or UnicodeError for a bad name."""
        ticket = self._threads.draw(ON_BEHALF_OF.get())
        has_thread = False
        try:
            async with asyncio.timeout(LOOK_UP_S) as limit:
                await ticket.granted
                answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
                self._start(ticket, answer, host, port, family)
                has_thread = True
                return await answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise socket.gaierror(socket.EAI_AGAIN, f"no answer within {LOOK_UP_S:.0f} s") from error
        finally:
            if not has_thread:
                self._threads.give_back(ticket)

    def _start(
        self, ticket: Ticket, answer: "asyncio.Future[Found]", host: str, port: int, family: int
    ) -> None:
        loop = answer.get_loop()

        def done(found: Found | None, error: Exception | None) -> None:
            self._threads.give_back(ticket)
            if answer.done():
                return  # nobody waits any more
            if error is not None or found is None:
                answer.set_exception(error or OSError("nothing found"))
            else:
                answer.set_result(found)

        def work() -> None:
            outcome: tuple[Found | None, Exception | None]
            try:
                look_up = self._look_up or socket.getaddrinfo
                outcome = look_up(host, port, family, socket.SOCK_STREAM), None
            except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                outcome = None, error
            if not loop.is_closed():
                loop.call_soon_threadsafe(done, *outcome)

        threading.Thread(target=work, name="filebot-look-up", daemon=True).start()


class PolicyResolver(AbstractResolver):
    """Looks names up for aiohttp, and drops the addresses that are not allowed."""

    def __init__(self, policy: AddressPolicy, names: NameLookup) -> None:
        self._policy = policy
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The first allowed addresses of ``host``.

        Raises ForbiddenTarget if it has only others, or is no name at all; OSError if it has none.
        """
        try:
            found = [_result(host, *each) for each in await self._names.addresses(host, port, family)]
        except UnicodeError as error:
            raise ForbiddenTarget(reason="malformed") from error
        allowed = [result for result in found if self._policy.allows(result["host"])]
        if not allowed:
            raise ForbiddenTarget(reason="private")
        return _mixed(allowed)[:MOST_ADDRESSES]

    async def close(self) -> None:
        """Nothing is kept open."""


def _result(
    name: str, family: int, kind: int, protocol: int, canonical: str, address: tuple[Any, ...]
) -> ResolveResult:
    scope = address[3] if len(address) > 3 else 0
    return ResolveResult(
        hostname=name,
        host=f"{address[0]}%{scope}" if scope else address[0],
        port=address[1],
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _mixed(results: Sequence[ResolveResult]) -> list[ResolveResult]:
    """Take turns between families: one that leads nowhere must not take all places."""
    counts = Counter[int]()
    ranked = []
    for each in results:
        ranked.append((counts[each["family"]], each))
        counts[each["family"]] += 1
    return [each for _, each in sorted(ranked, key=lambda one: one[0])]
