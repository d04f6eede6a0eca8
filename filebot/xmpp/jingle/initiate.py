"""Handler of the sessions that others begin: declined at once, or brought to the bot."""

import logging
import secrets
from typing import Final

from filebot.protocol.jingle.actions import Action, Content, Jingle, JingleReason
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.quirks import quirks_of
from filebot.protocol.jingle.transports import InBandTransport, Socks5Transport
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.offer_policy import OfferPolicy
from filebot.xmpp.handlers import StreamHandlers
from filebot.xmpp.jid import Jid
from filebot.xmpp.jingle.driver import JingleTools
from filebot.xmpp.jingle.errors import reason_of_rejection
from filebot.xmpp.jingle.incoming import JingleOffer, JingleRequest, PendingSession
from filebot.xmpp.jingle.outgoing import limits_of
from filebot.xmpp.jingle.registry import JingleSessions
from filebot.xmpp.presence.online_clients import OnlineClients
from filebot.xmpp.xml import jid_or_none

log = logging.getLogger(__name__)

_SID_BYTES: Final = 12
_SENDERS: Final = frozenset({"initiator", "responder", "both"})
"""COMPAT(Gajim): leaves it at ``both`` although only one side sends."""


class _Unacceptable(Exception):
    def __init__(self, reason: JingleReason, text: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.text = text


class JingleInitiateHandler:
    """Handler of new sessions: declines those that cannot be taken, and brings the others to the bot."""

    def __init__(
        self,
        tools: JingleTools,
        table: JingleSessions,
        policy: OfferPolicy,
        resources: OnlineClients,
        handlers: StreamHandlers,
    ) -> None:
        self._tools = tools
        self._table = table
        self._policy = policy
        self._resources = resources
        self._handlers = handlers

    def take(self, request: Request, jingle: Jingle) -> None:
        """Answer a ``session-initiate``, or bring it to the bot."""
        fast_path, sender = self._tools.streams.fast_path, jid_or_none(request.peer)
        if sender is None or not sender.resource or not jingle.contents:
            fast_path.refuse(request, StanzaError("bad-request"))
            return
        ours = (each.transport for each in jingle.contents)
        sids = (each.sid for each in ours if isinstance(each, Socks5Transport | InBandTransport))
        if self._table.uses(request.peer, frozenset((jingle.sid, *sids))):
            fast_path.refuse(request, StanzaError("conflict"))
            return
        # XEP-0166, "Initiation": acknowledged first, whatever comes of it.
        fast_path.acknowledge(request)
        try:
            begun = self._begun(request, jingle, sender)
        except _Unacceptable as unacceptable:
            log.info("a session of %s is declined: %s", request.peer, unacceptable.reason.value)
            self._turn_away(request, jingle, unacceptable)
            return
        self._bring(begun)

    def _begun(self, request: Request, jingle: Jingle, sender: Jid) -> PendingSession:
        """Raises _Unacceptable."""
        if (rejection := self._policy.rejection_of(sender)) is not None:
            raise _Unacceptable(reason_of_rejection(rejection), rejection.text)
        content = self._chosen(jingle)
        quirks = quirks_of(self._resources.known(sender.full).software)
        terms = SessionParameters(
            jingle.sid,
            content,
            initiating=False,
            quirks=quirks,
            limits=limits_of(self._tools.streams.limits),
            spare_sid=secrets.token_hex(_SID_BYTES),
        )
        others = tuple(each for each in jingle.contents if each is not content)
        return PendingSession(request, terms, others, self._policy.words.unanswered)

    def _chosen(self, jingle: Jingle) -> Content:
        """The first content that can be taken. One session is about one file."""
        files = [each for each in jingle.contents if each.file is not None and each.senders in _SENDERS]
        if not files:
            raise _Unacceptable(JingleReason.UNSUPPORTED_APPLICATIONS)
        plain = [each for each in files if not each.secured]
        if not plain:
            # The bytes would be of no use to anybody (XEP-0391).
            raise _Unacceptable(JingleReason.SECURITY_ERROR, self._policy.words.encrypted)
        for each in plain:
            if self._can_move(each):
                return each
        raise _Unacceptable(JingleReason.UNSUPPORTED_TRANSPORTS)

    def _can_move(self, content: Content) -> bool:
        if isinstance(content.transport, InBandTransport):
            return True
        return (
            isinstance(content.transport, Socks5Transport) and self._tools.streams.connections is not None
        )

    def _bring(self, begun: PendingSession) -> None:
        if begun.terms.content.senders != "responder":
            self._policy.start(self._handlers.offer, JingleOffer(self._tools, self._table, begun))
        else:
            self._policy.start(self._handlers.request, JingleRequest(self._tools, self._table, begun))

    def _turn_away(self, request: Request, jingle: Jingle, why: _Unacceptable) -> None:
        bye = Jingle(Action.SESSION_TERMINATE, jingle.sid, reason=why.reason, text=why.text)
        self._tools.streams.fast_path.tell(request.peer, request.own, bye.element())
