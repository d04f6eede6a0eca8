"""Machine of one Jingle session for one file (XEP-0166, 0234, 0260, 0261); its states are in ``states``."""

from dataclasses import replace
from typing import Final

from filebot.errors import LocalProtocolError
from filebot.protocol.ibb import OFFERED_BLOCK
from filebot.protocol.jingle.actions import (
    OUT_OF_ORDER,
    TIE_BREAK,
    UNKNOWN_SESSION,
    UNSUPPORTED_INFO,
    Action,
    Checksum,
    Content,
    Jingle,
    JingleReason,
    Ping,
    ReceivedInfo,
)
from filebot.protocol.jingle.candidate_negotiation import CandidateExchange, Nomination, Undecided
from filebot.protocol.jingle.description import FileDescription, Range
from filebot.protocol.jingle.effects import (
    Activate,
    AwaitStream,
    Dial,
    Effect,
    Ended,
    Flow,
    OpenStream,
    Reaction,
    Route,
    SendJingle,
)
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.requests import SessionRequests
from filebot.protocol.jingle.states import REPLACEABLE, State, next_state, wait_s
from filebot.protocol.jingle.transports import (
    Activated,
    Candidate,
    CandidateError,
    CandidateUsed,
    InBandTransport,
    Notice,
    ProxyError,
    Socks5Transport,
    Transport,
    TransportNotice,
)
from filebot.protocol.stanza_error import StanzaError

ACTIVATED_AGAIN_S: Final = 2.0
"""COMPAT(Dino): refuses ``activated`` if it is not yet ready for it (dino#1804); once more is enough."""

_NEEDED: Final = frozenset({Action.SESSION_INITIATE, Action.SESSION_ACCEPT})
"""Without these nothing goes on."""


class JingleSession:
    """Machine of one session; see the theory of operation in ``states``."""

    def __init__(self, terms: SessionParameters) -> None:
        self.terms = terms
        self.state = State.OFFERED
        self.file = terms.content.file or FileDescription()
        """The file, as its sender describes it."""
        self.range = Range()
        """The part of the file that is sent; settled by ``session-accept``."""
        self.late_hashes: dict[str, bytes] = {}
        """Hashes that the peer told after the offer."""
        self.received = False
        """Whether the receiver confirmed that it has the file."""
        self._requests = SessionRequests(terms)
        self._exchange: CandidateExchange | None = None
        self._nominated: Nomination | None = None
        self._route: Route | None = None
        self._peer_is_done = False
        self._told_twice = False
        self._replaced = False

    @property
    def wait_s(self) -> float | None:
        """Time until :meth:`expired` is to be called, unless the state changes; None for ever."""
        return wait_s(self.state, self.terms)

    @property
    def checksum_wait_s(self) -> float:
        """Time for which a receiver that has every byte waits for a hash."""
        if self.late_hashes or self.file.offer.hashes:
            return 0.0
        return self.terms.limits.finish_s if self.file.hash_follows else self.terms.quirks.checksum_within_s

    @property
    def expected_bytes(self) -> int | None:
        """Number of bytes that are going to move; None if nobody said."""
        return self.range.size_in(self.file.offer.size)

    # --- what the bot does ----------------------------------------------------------------------

    def offer(self) -> list[Effect]:
        """Begin the session, as its initiator."""
        if self.state is not State.OFFERED or not self.terms.initiating:
            raise LocalProtocolError("a session is begun by its initiator, and once")
        return [self._requests.initiate()]

    def accept(
        self,
        transport: Socks5Transport | InBandTransport,
        *,
        offset: int = 0,
        file: FileDescription | None = None,
        others: tuple[Content, ...] = (),
    ) -> list[Effect]:
        """Accept the offer: take the file from ``offset`` on, or send the one that was asked for.

        ``transport`` is our side of the one that was offered; ``file`` describes what was asked for, with
        the part that is sent; ``others`` are contents that are not wanted.
        """
        offered = self.terms.content
        if self.state is not State.OFFERED or self.terms.initiating:
            raise LocalProtocolError("only an offer can be accepted, and once")
        # XEP-0234, "Ranged Transfers": only who was offered ranges may ask for one.
        if offset and self.file.range is None:
            raise LocalProtocolError("the offer does not allow to begin elsewhere")
        self.file = file or replace(self.file, range=Range(offset) if offset else None)
        self.range = self.file.range or Range()
        accepted = replace(offered, file=self.file, transport=transport)
        effects: list[Effect] = []
        if others:
            effects.append(self._requests.reject_contents(others))
        effects.append(self._requests.accept(accepted))
        return effects + self._agreed(offered.transport, transport)

    def dialled(self, candidate: Candidate | None) -> list[Effect]:
        """Go on with the connection that was made to the peer; None if there is none."""
        exchange = self._exchange
        if self.state is not State.CHECKING or exchange is None or exchange.dial_ended:
            return []
        exchange.dialled(candidate)
        if candidate is not None:
            return [self._tell(CandidateUsed(candidate.cid)), *self._nominate()]
        telling = self._tell(CandidateError())
        delayed = replace(telling, after_s=self.terms.quirks.candidate_error_after_s)
        return [delayed, *self._nominate()]

    def activated(self, *, well: bool) -> list[Effect]:
        """Go on after the bot's own proxy was asked to let the bytes through."""
        nominated = self._nominated
        if self.state is not State.ACTIVATING or nominated is None or not nominated.is_ours:
            return []
        if not well:
            return [self._tell(ProxyError()), *self._fall_back()]
        return [self._tell(Activated(nominated.candidate.cid)), *self._flow(Route.ACTIVATED)]

    def opened(self) -> list[Effect]:
        """Go on with the in-band stream, which is open."""
        return self._flow(Route.IN_BAND) if self.state is State.OPENING else []

    def sent(self) -> list[Effect]:
        """Go on as a sender whose every byte has gone and, as far as can be told, arrived."""
        if self.state is not State.FLOWING:
            return []
        if self.received or self._peer_is_done:
            return self._end(Ended(JingleReason.SUCCESS))
        self._enter(State.FINISHING)
        return []

    def stored(self) -> list[Effect]:
        """Go on as a receiver whose file is complete and has the right hash (XEP-0234, "Received")."""
        if self.state is not State.FLOWING:
            return []
        if self._peer_is_done:
            return self._end(Ended(JingleReason.SUCCESS))
        return [self._requests.received(self.file.namespace), *self.fail(JingleReason.SUCCESS)]

    def fail(self, reason: JingleReason, text: str = "") -> list[Effect]:
        """End the session from the bot's side, in whatever state it is."""
        if self.state is State.ENDED:
            return []
        farewell = () if self._peer_is_done else (self._requests.terminate(reason, text),)
        return self._end(*farewell, Ended(reason))

    def expired(self) -> list[Effect]:
        """Go on after the present state has lasted for :attr:`wait_s`."""
        match self.state:
            case State.OFFERED:
                return self._give_up()
            case State.CHECKING:
                return self._fall_back()
            case State.ACTIVATING:
                # Whether the peer or the bot had to activate it does not matter: the proxy cannot be used.
                return [self._tell(ProxyError()), *self._fall_back()]
            case State.REPLACING | State.OPENING:
                return self.fail(JingleReason.FAILED_TRANSPORT)
            case State.FINISHING:
                # Every byte was acknowledged below; some clients say nothing.
                return (
                    self._give_up() if self.terms.quirks.ends_when_done else self.fail(JingleReason.SUCCESS)
                )
        return []

    def lost(self) -> list[Effect]:
        """Go on without the peer, or without our own stream: nothing can be said any more.

        XEP-0166 ends the session then. Bytes that flow beside the XMPP stream are left to flow: that
        connection has an end of its own.
        """
        if self.state is State.FLOWING and self._route is not Route.IN_BAND:
            self._peer_is_done = True
            return []
        if self.state is State.FINISHING:
            return self._end(Ended(JingleReason.SUCCESS))
        return self._end(Ended(JingleReason.GONE)) if self.state is not State.ENDED else []

    # --- what the peer does ---------------------------------------------------------------------

    def receive(self, jingle: Jingle) -> Reaction:
        """React to an iq of the peer in this session, other than its ``session-initiate``."""
        if self.state is State.ENDED:
            return Reaction(error=UNKNOWN_SESSION)
        react = {
            Action.CONTENT_ADD: self._another_added,
            Action.CONTENT_REJECT: self._content_removed,
            Action.CONTENT_REMOVE: self._content_removed,
            Action.DESCRIPTION_INFO: lambda _: Reaction(),
            Action.SESSION_ACCEPT: self._accepted,
            Action.SESSION_INFO: self._informed,
            Action.SESSION_TERMINATE: self._terminated,
            Action.TRANSPORT_ACCEPT: self._accepted,
            Action.TRANSPORT_INFO: self._noticed,
            Action.TRANSPORT_REJECT: self._rejected,
            Action.TRANSPORT_REPLACE: self._asked_to_replace,
        }.get(jingle.action)
        return Reaction(error=OUT_OF_ORDER) if react is None else react(jingle)

    def refused(self, jingle: Jingle, error: StanzaError) -> list[Effect]:
        """React to an error by which the peer answered one of our iqs."""
        if self.state is State.ENDED:
            return []
        if error.specific == UNKNOWN_SESSION.specific or jingle.action in _NEEDED:
            return self._end(Ended(JingleReason.GONE, error.text, error=error))
        if jingle.action is Action.TRANSPORT_REPLACE and error.specific != TIE_BREAK.specific:
            return self.fail(JingleReason.FAILED_TRANSPORT)
        if isinstance(jingle.notice, Activated) and not self._told_twice:
            self._told_twice = True
            return [SendJingle(jingle, ACTIVATED_AGAIN_S)]
        # COMPAT(Dino): refuses a transport-accept that it has asked for. What counts is what happens then.
        return []

    def _terminated(self, jingle: Jingle) -> Reaction:
        reason = jingle.reason or JingleReason.GENERAL_ERROR
        self._peer_is_done = True
        if reason is JingleReason.SUCCESS and self.state is State.FLOWING and not self.terms.sending:
            # COMPAT(Dino, Gajim): say so as soon as the last byte is sent, not when it is received.
            return Reaction()
        return Reaction(tuple(self._end(Ended(reason, jingle.text))))

    def _another_added(self, jingle: Jingle) -> Reaction:
        """One session, one file: another can have a session of its own."""
        return Reaction((self._requests.reject_contents(jingle.contents),))

    def _content_removed(self, jingle: Jingle) -> Reaction:
        return Reaction(tuple(self.fail(JingleReason.CANCEL)) if self._mine(jingle) is not None else ())

    def _rejected(self, _: Jingle) -> Reaction:
        if self._is_replacing():
            return Reaction(tuple(self.fail(JingleReason.FAILED_TRANSPORT)))
        return Reaction(error=OUT_OF_ORDER)

    def _informed(self, jingle: Jingle) -> Reaction:
        match jingle.info:
            case ReceivedInfo() if self.terms.sending:
                self.received = True
                done = self.state is State.FINISHING
                return Reaction(tuple(self._end(Ended(JingleReason.SUCCESS))) if done else ())
            case Checksum(hashes) if not self.terms.sending:
                self.late_hashes |= hashes
            case Ping() | ReceivedInfo() | Checksum():
                pass
            case _:
                return Reaction(error=UNSUPPORTED_INFO)
        return Reaction()

    def _accepted(self, jingle: Jingle) -> Reaction:
        """COMPAT(Gajim, old): answers a transport-replace with a session-accept (Conversations#3445)."""
        content = self._mine(jingle)
        if content is None or not self.terms.initiating:
            return Reaction(error=OUT_OF_ORDER)
        if self._is_replacing() and isinstance(content.transport, InBandTransport):
            return Reaction(tuple(self._open(content.transport.within(OFFERED_BLOCK))))
        if self.state is not State.OFFERED or jingle.action is not Action.SESSION_ACCEPT:
            return Reaction(error=OUT_OF_ORDER)
        asked = content.file.range if content.file is not None else None
        # Only who sends knows which parts there are.
        if asked is not None and not asked.is_in(self.file.offer.size if self.terms.sending else None):
            return Reaction(tuple(self.fail(JingleReason.INCOMPATIBLE_PARAMETERS)))
        self.range = asked or Range()
        return Reaction(tuple(self._agreed(content.transport, self.terms.content.transport)))

    def _noticed(self, jingle: Jingle) -> Reaction:
        content, exchange = self._mine(jingle), self._exchange
        if content is None or exchange is None or not isinstance(content.transport, TransportNotice):
            return Reaction(error=OUT_OF_ORDER)
        match content.transport.notice:
            case CandidateUsed(cid) if exchange.named(cid) is None:
                return Reaction(error=StanzaError("item-not-found"))
            # XEP-0260, "Connecting to Candidates": exactly one of them, from each side.
            case CandidateUsed() | CandidateError() as notice:
                if self.state is State.CHECKING and exchange.told(notice):
                    return Reaction(tuple(self._nominate()))
            case Activated(cid) if self._nominated is not None and self._nominated.is_awaited(cid):
                if self.state is State.ACTIVATING:
                    return Reaction(tuple(self._flow(Route.DIALLED)))
            case ProxyError() if self.state is State.ACTIVATING:
                return Reaction(tuple(self._fall_back()))
        return Reaction(error=OUT_OF_ORDER)

    def _asked_to_replace(self, jingle: Jingle) -> Reaction:
        """XEP-0260 leaves this to the initiator. COMPAT(Dino): does it as the responder, too."""
        content = self._mine(jingle)
        if content is None or self.state not in REPLACEABLE:
            return Reaction(error=OUT_OF_ORDER)
        if self._replaced:
            # XEP-0166, "Tie Breaking": the initiator's request wins.
            return Reaction(error=TIE_BREAK if self.terms.initiating else OUT_OF_ORDER)
        if not isinstance(content.transport, InBandTransport) or not self.terms.spare_sid:
            return Reaction((self._requests.reject_transport(content),))
        self._replaced = True
        agreed = content.transport.within(OFFERED_BLOCK)
        return Reaction((self._requests.accept_transport(content, agreed), *self._open(agreed)))

    # --- steps ----------------------------------------------------------------------------------

    def _agreed(self, theirs: Transport | None, ours: Transport | None) -> list[Effect]:
        """Go on with the first transport, of which both sides are known."""
        match theirs, ours:
            case Socks5Transport() as socks5, Socks5Transport() as own:
                self._enter(State.CHECKING)
                self._exchange = CandidateExchange(own, initiating=self.terms.initiating)
                return [Dial(socks5)]
            case InBandTransport(sid, size), InBandTransport(our_sid, our_size) if sid == our_sid:
                return self._open(InBandTransport(sid, min(size, our_size)))
        return self.fail(JingleReason.UNSUPPORTED_TRANSPORTS)

    def _nominate(self) -> list[Effect]:
        nomination = self._exchange.nomination() if self._exchange is not None else Undecided.WAITING
        match nomination:
            case Undecided.WAITING:
                return []
            case Undecided.HOPELESS:
                return self._fall_back()
            case Nomination(Candidate(is_proxy=False), is_ours):
                return self._flow(Route.AWAITED if is_ours else Route.DIALLED)
            case Nomination(candidate, is_ours):
                self._enter(State.ACTIVATING)
                self._nominated = nomination
                return [Activate(candidate)] if is_ours else []

    def _fall_back(self) -> list[Effect]:
        """Replace SOCKS5, which has failed (XEP-0260, "Fallback Methods"), or give up."""
        if not self.terms.spare_sid or not self.terms.quirks.takes_replacement:
            return self.fail(JingleReason.CONNECTIVITY_ERROR)
        self._enter(State.REPLACING)
        if not self.terms.initiating:
            return []
        self._replaced = True
        return [self._requests.replace_transport()]

    def _open(self, transport: InBandTransport) -> list[Effect]:
        self._enter(State.OPENING)
        return [OpenStream(transport) if self.terms.initiating else AwaitStream(transport)]

    def _flow(self, route: Route) -> list[Effect]:
        self._enter(State.FLOWING)
        self._route = route
        return [Flow(route)]

    def _end(self, *effects: Effect) -> list[Effect]:
        self._enter(State.ENDED)
        return list(effects)

    def _enter(self, state: State) -> None:
        self.state = next_state(self.state, state)

    # --- looking things up ----------------------------------------------------------------------

    def _give_up(self) -> list[Effect]:
        """End the session: the peer has been silent for too long."""
        ended = Ended(JingleReason.TIMEOUT, waited_s=self.wait_s or 0.0)
        return self._end(self._requests.terminate(JingleReason.TIMEOUT), ended)

    def _is_replacing(self) -> bool:
        return self.state is State.REPLACING and self.terms.initiating

    def _mine(self, jingle: Jingle) -> Content | None:
        """The content that the session is about."""
        return jingle.content(self.terms.content.name)

    def _tell(self, notice: Notice) -> SendJingle:
        return self._requests.tell(self._exchange.own.sid if self._exchange is not None else "", notice)
