"""Name look-up for aiohttp that gives only addresses which the policy allows.

The connection is made to exactly the addresses returned here, so a name that changes its address between
check and use (DNS rebinding) gains nothing. aiohttp does not ask for hosts that are addresses already:
those are the business of ``AddressPolicy.check``.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from filebot.errors import ForbiddenTarget
from filebot.transfer.address_policy import AddressPolicy


class PolicyResolver(AbstractResolver):
    """Asks another resolver, and drops the addresses that are not allowed."""

    def __init__(self, policy: AddressPolicy, inner: AbstractResolver) -> None:
        self._policy = policy
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The allowed addresses of ``host``.

        Raises ForbiddenTarget if it has only others, or is no name at all; OSError if it has none.
        """
        try:
            found = await self._inner.resolve(host, port, family)
        except UnicodeError as error:
            raise ForbiddenTarget(reason="malformed") from error
        allowed = [result for result in found if self._policy.allows(result["host"])]
        if not allowed:
            raise ForbiddenTarget(reason="private")
        return allowed

    async def close(self) -> None:
        await self._inner.close()
