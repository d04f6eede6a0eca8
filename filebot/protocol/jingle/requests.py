"""Iqs that the bot sends in one Jingle session, as ``SendJingle`` effects."""

from dataclasses import replace

from filebot.protocol.ibb import OFFERED_BLOCK
from filebot.protocol.jingle.actions import Action, Content, Jingle, JingleReason, ReceivedInfo
from filebot.protocol.jingle.effects import SendJingle
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.transports import InBandTransport, Notice, TransportNotice


class SessionRequests:
    """Builder of the iqs of one session."""

    def __init__(self, parameters: SessionParameters) -> None:
        self._sid = parameters.sid
        self._parameters = parameters

    def initiate(self) -> SendJingle:
        """Offer the content."""
        initiator = self._parameters.initiator
        return SendJingle(
            Jingle(Action.SESSION_INITIATE, self._sid, (self._parameters.content,), initiator=initiator)
        )

    def accept(self, content: Content) -> SendJingle:
        """Accept the offer with our side of it."""
        return self._send(Action.SESSION_ACCEPT, content)

    def reject_contents(self, contents: tuple[Content, ...]) -> SendJingle:
        """Refuse some contents, and go on with the session."""
        return self._send(Action.CONTENT_REJECT, *(each.bare for each in contents))

    def tell(self, transport_sid: str, notice: Notice) -> SendJingle:
        """Tell the peer about a SOCKS5 transport."""
        told = TransportNotice(transport_sid, notice)
        return self._send(Action.TRANSPORT_INFO, replace(self._parameters.content.bare, transport=told))

    def replace_transport(self) -> SendJingle:
        """Ask for an in-band stream in place of the transport."""
        transport = InBandTransport(self._parameters.spare_sid, OFFERED_BLOCK)
        content = replace(self._parameters.content.bare, transport=transport)
        return self._send(Action.TRANSPORT_REPLACE, content)

    def accept_transport(self, content: Content, transport: InBandTransport) -> SendJingle:
        """Agree to the in-band stream that the peer asks for."""
        return self._send(Action.TRANSPORT_ACCEPT, replace(content.bare, transport=transport))

    def reject_transport(self, content: Content) -> SendJingle:
        """Refuse another transport. COMPAT(Dino): names the transport anew in a reject as well."""
        return self._send(Action.TRANSPORT_REJECT, replace(content, file=None))

    def received(self, namespace: str) -> SendJingle:
        """Confirm that the file is here (XEP-0234, "Received")."""
        content = self._parameters.content
        told = ReceivedInfo(content.name, content.creator, namespace)
        return SendJingle(Jingle(Action.SESSION_INFO, self._sid, info=told))

    def terminate(self, reason: JingleReason, text: str = "") -> SendJingle:
        """End the session."""
        return SendJingle(Jingle(Action.SESSION_TERMINATE, self._sid, reason=reason, text=text))

    def _send(self, action: Action, *contents: Content) -> SendJingle:
        return SendJingle(Jingle(action, self._sid, contents))
