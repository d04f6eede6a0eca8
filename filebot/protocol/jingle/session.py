"""One Jingle session for one file (XEP-0166, 0234, 0260, 0261), as a machine without I/O.

Theory of operation. What the peer says goes into :meth:`JingleSession.receive`, what happened at our side
(a connection made, the last byte moved, time run out) into the other methods; what has to be done comes out
as a list of effects, to be done in that order. ``SendJingle`` effects are iqs: each goes out when the one
before it was answered, so that nobody sees the second before the first.

    state       meaning                              left by                                     for
    ----------  -----------------------------------  ------------------------------------------  ----------
    OFFERED     initiator: offered, not answered     session-accept                              CHECKING*
                responder: offered to us             accept()                                    CHECKING*
    CHECKING    both sides dial the candidates of    both outcomes known, one of them good:
                the other and tell what came of it     direct                                    FLOWING
                                                       a proxy                                   ACTIVATING
                                                     both bad, or too late                       REPLACING
    ACTIVATING  who offered the proxy activates it   activated (ours or theirs)                  FLOWING
                                                     proxy-error, or too late                    REPLACING
    REPLACING   initiator: transport-replace sent    transport-accept                            OPENING
                responder: it is awaited             transport-replace, answered with -accept    OPENING
    OPENING     the initiator opens the in-band      opened()                                    FLOWING
                stream (XEP-0261)
    FLOWING     bytes move                           sent()                                      FINISHING
                                                     stored()                                    ENDED
    FINISHING   sender: the receiver has to confirm  received, session-terminate, or too late    ENDED
    ENDED       nothing more is said

    * OPENING at once where the offer is in-band.

Any state is left for ENDED by session-terminate, fail(), lost(), or when its time has run out and there
is nothing left to try. Every state in which we wait for the peer has its limit in ``SessionLimits``.
"""

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
from filebot.protocol.jingle.candidate_negotiation import Exchange, Nomination, Undecided
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
from filebot.protocol.jingle.parameters import SessionParameters, State
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


class JingleSession:
    """See the theory of operation above."""

    def __init__(self, terms: SessionParameters) -> None:
        self.terms = terms
        self.state = State.OFFERED
        self.file = terms.content.file or FileDescription()
        """As its sender describes it."""
        self.range = Range()
        """The part of the file that is sent; settled by ``session-accept``."""
        self.late_hashes: dict[str, bytes] = {}
        """Those that the peer told after the offer."""
        self.received = False
        """Whether the receiver confirmed that it has the file."""
        self._exchange: Exchange | None = None
        self._nominated: Nomination | None = None
        self._route: Route | None = None
        self._peer_is_done = False
        self._told_twice = False
        self._replaced = False

    @property
    def wait_s(self) -> float | None:
        """How long the present state may last before :meth:`expired` is to be called; None for ever.

        Not limited here are what the bot itself has to do, and bytes that move.
        """
        limits = self.terms.limits
        if self.state is State.OFFERED:
            return (self.terms.quirks.answer_within_s or limits.answer_s) if self.terms.initiating else None
        return {
            State.CHECKING: limits.check_s,
            State.ACTIVATING: limits.activate_s,
            State.REPLACING: limits.replace_s,
            State.OPENING: limits.open_s,
            State.FINISHING: limits.finish_s,
        }.get(self.state)

    @property
    def checksum_wait_s(self) -> float:
        """How long a receiver that has every byte waits for a hash."""
        if self.late_hashes or self.file.offer.hashes:
            return 0.0
        return self.terms.limits.finish_s if self.file.hash_follows else self.terms.quirks.checksum_within_s

    @property
    def expected_bytes(self) -> int | None:
        """How many bytes are going to move; None if nobody said."""
        size, part = self.file.offer.size, self.range
        if size is None or part.length is not None:
            return part.length
        return size - part.offset

    # --- what the bot does ----------------------------------------------------------------------

    def offer(self) -> list[Effect]:
        """As the initiator: begin."""
        terms = self.terms
        if self.state is not State.OFFERED or not terms.initiating:
            raise LocalProtocolError("a session is begun by its initiator, and once")
        initiate = Jingle(Action.SESSION_INITIATE, terms.sid, (terms.content,), initiator=terms.initiator)
        return [SendJingle(initiate)]

    def accept(
        self,
        transport: Socks5Transport | InBandTransport,
        *,
        offset: int = 0,
        file: FileDescription | None = None,
        others: tuple[Content, ...] = (),
    ) -> list[Effect]:
        """As the responder: take the file, from ``offset`` on, or send the one that was asked for.

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
            effects.append(self._say(Action.CONTENT_REJECT, *map(_bare, others)))
        effects.append(self._say(Action.SESSION_ACCEPT, accepted))
        return effects + self._agreed(offered.transport, transport)

    def dialled(self, candidate: Candidate | None) -> list[Effect]:
        """The connection that was made to the peer; None if there is none."""
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
        """Our proxy lets the bytes through, or does not."""
        nominated = self._nominated
        if self.state is not State.ACTIVATING or nominated is None or not nominated.is_ours:
            return []
        if not well:
            return [self._tell(ProxyError()), *self._fall_back()]
        return [self._tell(Activated(nominated.candidate.cid)), *self._flow(Route.ACTIVATED)]

    def opened(self) -> list[Effect]:
        """The in-band stream is open."""
        return self._flow(Route.IN_BAND) if self.state is State.OPENING else []

    def sent(self) -> list[Effect]:
        """As the sender: every byte has gone and, as far as can be told, arrived."""
        if self.state is not State.FLOWING:
            return []
        if self.received or self._peer_is_done:
            return self._end(Ended(JingleReason.SUCCESS))
        self.state = State.FINISHING
        return []

    def stored(self) -> list[Effect]:
        """As the receiver: the file is complete and its hash is right (XEP-0234, "Received")."""
        if self.state is not State.FLOWING:
            return []
        if self._peer_is_done:
            return self._end(Ended(JingleReason.SUCCESS))
        content = self.terms.content
        told = ReceivedInfo(content.name, content.creator, self.file.namespace)
        received = SendJingle(Jingle(Action.SESSION_INFO, self.terms.sid, info=told))
        return [received, *self.fail(JingleReason.SUCCESS)]

    def fail(self, reason: JingleReason, text: str = "") -> list[Effect]:
        """End the session from our side, whatever it is at."""
        if self.state is State.ENDED:
            return []
        bye = SendJingle(Jingle(Action.SESSION_TERMINATE, self.terms.sid, reason=reason, text=text))
        silent = self._peer_is_done
        return self._end(*(() if silent else (bye,)), Ended(reason))

    def expired(self) -> list[Effect]:
        """The present state has lasted too long."""
        match self.state:
            case State.OFFERED:
                return self._give_up()
            case State.CHECKING:
                return self._fall_back()
            case State.ACTIVATING:
                # Whose turn it was does not matter: the proxy is of no use.
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
        """The peer has gone, or our own stream: nothing can be said any more.

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
        """An iq of the peer in this session, other than its ``session-initiate``."""
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
        """The peer answered one of our iqs with an error."""
        if self.state is State.ENDED:
            return []
        if error.specific == UNKNOWN_SESSION.specific or jingle.action in _NEEDED:
            return self._end(Ended(JingleReason.GONE, error.text, by_peer=True, error=error))
        if jingle.action is Action.TRANSPORT_REPLACE and error.specific != TIE_BREAK.specific:
            return self.fail(JingleReason.FAILED_TRANSPORT)
        if isinstance(_notice_of(jingle), Activated) and not self._told_twice:
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
        return Reaction(tuple(self._end(Ended(reason, jingle.text, by_peer=True))))

    def _another_added(self, jingle: Jingle) -> Reaction:
        """One session, one file: another can have a session of its own."""
        return Reaction((self._say(Action.CONTENT_REJECT, *map(_bare, jingle.contents)),))

    def _content_removed(self, jingle: Jingle) -> Reaction:
        mine = self._mine(jingle) is not None
        return Reaction(tuple(self.fail(JingleReason.CANCEL)) if mine else ())

    def _rejected(self, _: Jingle) -> Reaction:
        if not self._is_replacing():
            return Reaction(error=OUT_OF_ORDER)
        return Reaction(tuple(self.fail(JingleReason.FAILED_TRANSPORT)))

    def _informed(self, jingle: Jingle) -> Reaction:
        match jingle.info:
            case ReceivedInfo() if self.terms.sending:
                self.received = True
                done = self.state is State.FINISHING
                return Reaction(tuple(self._end(Ended(JingleReason.SUCCESS, by_peer=True))) if done else ())
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
            return Reaction(tuple(self._open(self._smaller(content.transport))))
        if self.state is not State.OFFERED or jingle.action is not Action.SESSION_ACCEPT:
            return Reaction(error=OUT_OF_ORDER)
        asked = content.file.range if content.file is not None else None
        if asked is not None and not self._allows(asked):
            return Reaction(tuple(self.fail(JingleReason.INCOMPATIBLE_PARAMETERS)))
        self.range = asked or Range()
        return Reaction(tuple(self._agreed(content.transport, self.terms.content.transport)))

    def _allows(self, asked: Range) -> bool:
        """Whether that part is one of the file. Only who sends has to care."""
        size = self.file.offer.size
        if not self.terms.sending or size is None:
            return asked == Range()
        return asked.offset + (asked.length or 0) <= size

    def _noticed(self, jingle: Jingle) -> Reaction:
        content, exchange = self._mine(jingle), self._exchange
        if content is None or exchange is None or not isinstance(content.transport, TransportNotice):
            return Reaction(error=OUT_OF_ORDER)
        match content.transport.notice:
            case CandidateUsed(cid) if exchange.named(cid) is None:
                return Reaction(error=StanzaError("item-not-found"))
            # XEP-0260, "Connecting to Candidates": exactly one of them, from each side.
            case CandidateUsed() | CandidateError() as notice if self._is_checking() and exchange.told(
                notice
            ):
                return Reaction(tuple(self._nominate()))
            case Activated(cid) if self._is_awaiting(cid):
                return Reaction(tuple(self._flow(Route.DIALLED)))
            case ProxyError() if self.state is State.ACTIVATING:
                return Reaction(tuple(self._fall_back()))
        return Reaction(error=OUT_OF_ORDER)

    def _asked_to_replace(self, jingle: Jingle) -> Reaction:
        """XEP-0260 leaves this to the initiator. COMPAT(Dino): does it as the responder, too."""
        content = self._mine(jingle)
        if content is None or self.state not in _BEFORE_BYTES:
            return Reaction(error=OUT_OF_ORDER)
        if self._replaced:
            # XEP-0166, "Tie Breaking": the initiator's request wins.
            return Reaction(error=TIE_BREAK if self.terms.initiating else OUT_OF_ORDER)
        if not isinstance(content.transport, InBandTransport) or not self.terms.spare_sid:
            # COMPAT(Dino): names the transport anew in a reject as well.
            return Reaction((self._say(Action.TRANSPORT_REJECT, replace(content, file=None)),))
        self._replaced = True
        agreed = self._smaller(content.transport)
        accepting = self._say(Action.TRANSPORT_ACCEPT, replace(_bare(content), transport=agreed))
        return Reaction((accepting, *self._open(agreed)))

    # --- steps ----------------------------------------------------------------------------------

    def _agreed(self, theirs: Transport | None, ours: Transport | None) -> list[Effect]:
        """Both sides of the first transport are known."""
        match theirs, ours:
            case Socks5Transport() as socks5, Socks5Transport() as own:
                self.state = State.CHECKING
                self._exchange = Exchange(own, initiating=self.terms.initiating)
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
                self.state, self._nominated = State.ACTIVATING, nomination
                return [Activate(candidate)] if is_ours else []

    def _fall_back(self) -> list[Effect]:
        """SOCKS5 has failed (XEP-0260, "Fallback Methods")."""
        if not self.terms.spare_sid or not self.terms.quirks.takes_replacement:
            return self.fail(JingleReason.CONNECTIVITY_ERROR)
        self.state = State.REPLACING
        if not self.terms.initiating:
            return []
        self._replaced = True
        transport = InBandTransport(self.terms.spare_sid, OFFERED_BLOCK)
        return [
            self._say(Action.TRANSPORT_REPLACE, replace(_bare(self.terms.content), transport=transport))
        ]

    def _open(self, transport: InBandTransport) -> list[Effect]:
        self.state = State.OPENING
        return [OpenStream(transport) if self.terms.initiating else AwaitStream(transport)]

    def _flow(self, route: Route) -> list[Effect]:
        self.state = State.FLOWING
        self._route = route
        return [Flow(route)]

    def _end(self, *effects: Effect) -> list[Effect]:
        self.state = State.ENDED
        return list(effects)

    # --- looking things up ----------------------------------------------------------------------

    def _give_up(self) -> list[Effect]:
        """The peer has been silent for too long."""
        bye = Jingle(Action.SESSION_TERMINATE, self.terms.sid, reason=JingleReason.TIMEOUT)
        return self._end(SendJingle(bye), Ended(JingleReason.TIMEOUT, waited_s=self.wait_s or 0.0))

    def _is_replacing(self) -> bool:
        return self.state is State.REPLACING and self.terms.initiating

    def _is_checking(self) -> bool:
        return self.state is State.CHECKING

    def _is_awaiting(self, cid: str) -> bool:
        """Whether the peer has to activate this candidate of its own."""
        nominated = self._nominated if self.state is State.ACTIVATING else None
        return nominated is not None and not nominated.is_ours and nominated.candidate.cid == cid

    def _mine(self, jingle: Jingle) -> Content | None:
        """The content that the session is about."""
        return next((each for each in jingle.contents if each.name == self.terms.content.name), None)

    def _smaller(self, offered: InBandTransport) -> InBandTransport:
        """XEP-0261: the same sid, and a block that is not larger."""
        return replace(offered, block_size=min(offered.block_size, OFFERED_BLOCK))

    # --- words ----------------------------------------------------------------------------------

    def _tell(self, notice: Notice) -> SendJingle:
        sid = self._exchange.own.sid if self._exchange is not None else ""
        return self._say(
            Action.TRANSPORT_INFO,
            replace(_bare(self.terms.content), transport=TransportNotice(sid, notice)),
        )

    def _say(self, action: Action, *contents: Content) -> SendJingle:
        return SendJingle(Jingle(action, self.terms.sid, contents))


_NEEDED: Final = frozenset({Action.SESSION_INITIATE, Action.SESSION_ACCEPT})
"""Without these nothing goes on."""

_BEFORE_BYTES: Final = frozenset({State.CHECKING, State.ACTIVATING, State.REPLACING})


def _bare(content: Content) -> Content:
    """Its name and creator, as most actions want them."""
    return Content(content.name, content.creator)


def _notice_of(jingle: Jingle) -> Notice | None:
    for content in jingle.contents:
        if isinstance(content.transport, TransportNotice):
            return content.transport.notice
    return None
