"""A file that the bot offers by Jingle (XEP-0234)."""

import secrets
from collections.abc import Callable
from typing import Final

from filebot.model import Method
from filebot.protocol.ibb import OFFERED_BLOCK
from filebot.protocol.jingle.actions import Content
from filebot.protocol.jingle.description import Range, describe
from filebot.protocol.jingle.features import file_namespace, methods_of
from filebot.protocol.jingle.namespaces import FILES
from filebot.protocol.jingle.parameters import SessionLimits, SessionParameters
from filebot.protocol.jingle.quirks import quirks_of
from filebot.protocol.jingle.transports import InBandTransport, Socks5Transport
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.jingle.candidates import own_candidates
from filebot.xmpp.jingle.driver import Driver, JingleTools
from filebot.xmpp.jingle.registry import JingleSessions
from filebot.xmpp.jingle.send import send_bytes
from filebot.xmpp.presence.online_clients import Known
from filebot.xmpp.si.outgoing import OutgoingFile

_SID_BYTES: Final = 12


def limits_of(limits: StreamLimits) -> SessionLimits:
    """Return the limits of a session, made from those of all streams."""
    waiting = limits.open_s
    return SessionLimits(limits.answer_s, *[waiting / 2] * 5)


class JingleOutbound:
    """Sends one file."""

    def __init__(
        self, tools: JingleTools, table: JingleSessions, outgoing_file: OutgoingFile, client: Known
    ) -> None:
        """``client`` is what is known of the receiver."""
        self._tools = tools
        self._table = table
        self._outgoing_file = outgoing_file
        self._client = client

    async def send(self, progress: Callable[[int], None]) -> Method:
        """From the offer to the end; by which method it went. Raises TransferError."""
        outgoing_file, own = self._outgoing_file, self._outgoing_file.own
        transport = await self._transport(own)
        terms = self._terms(own, transport)
        async with Driver(self._tools, outgoing_file.to, own, terms) as driver:
            if isinstance(transport, Socks5Transport):
                driver.expect(transport)
            self._table.add(driver)
            try:
                driver.perform(driver.session.offer())
                return await send_bytes(driver, outgoing_file.file, progress)
            finally:
                self._table.remove(driver)

    async def _transport(self, own: str) -> Socks5Transport | InBandTransport:
        sid, connections = secrets.token_hex(_SID_BYTES), self._tools.streams.connections
        if self._outgoing_file.methods[0] is Method.IBB or connections is None:
            return InBandTransport(sid, OFFERED_BLOCK)
        return await own_candidates(connections, self._tools.proxies, sid, own, self._outgoing_file.to)

    def _terms(self, own: str, transport: Socks5Transport | InBandTransport) -> SessionParameters:
        namespace = file_namespace(self._client.features) or FILES
        file = describe(self._outgoing_file.entry, Range(), namespace)
        may_fall_back = Method.IBB in methods_of(self._client.features)
        return SessionParameters(
            self._outgoing_file.sid,
            # COMPAT(Conversations, Dino): read one content, in which the initiator alone sends.
            Content("file", senders="initiator", file=file, transport=transport),
            initiating=True,
            quirks=quirks_of(self._client.software),
            limits=limits_of(self._tools.streams.limits),
            spare_sid=secrets.token_hex(_SID_BYTES) if may_fall_back else "",
            initiator=own,
        )
