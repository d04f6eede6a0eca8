"""Jingle session machine with short words for its input and output."""

from dataclasses import replace

from filebot.model import Offer
from filebot.protocol.jingle.actions import Action, Content, Info, Jingle, JingleReason
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
    SendJingle,
)
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.quirks import STANDARD, Quirks
from filebot.protocol.jingle.session import JingleSession
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import (
    Candidate,
    CandidateError,
    CandidateType,
    CandidateUsed,
    InBandTransport,
    Notice,
    Socks5Transport,
    Transport,
    TransportNotice,
)
from filebot.protocol.stanza_error import StanzaError
from tests.support.jingle_world import candidate

DIRECT, PROXY = CandidateType.DIRECT, CandidateType.PROXY
PLAIN = FileDescription(Offer(name="a.bin", size=10))
RANGED = replace(PLAIN, range=Range())
IN_BAND = InBandTransport("t", 4096)
OUR_DIRECT = candidate("ours", DIRECT, 1)
THEIR_DIRECT = candidate("theirs", DIRECT, 2)
OUR_PROXY = candidate("ours", PROXY, 1)
THEIR_PROXY = candidate("theirs", PROXY, 2)


def socks5(*candidates: Candidate) -> Socks5Transport:
    return Socks5Transport("t", candidates)


def word(effect: Effect) -> str:
    """Return a short text that tells the effect from all others in these tests."""
    match effect:
        case SendJingle(jingle, after_s):
            return _spoken(jingle) + (f" after {after_s:g} s" if after_s else "")
        case Ended(reason):
            return f"ended {reason.value}"
        case _:
            return _done(effect)


def _done(effect: Dial | Activate | OpenStream | AwaitStream | Flow) -> str:
    match effect:
        case Dial():
            return "dial"
        case Activate(chosen):
            return f"activate {chosen.cid}"
        case OpenStream(transport):
            return f"open {transport.sid} {transport.block_size}"
        case AwaitStream(transport):
            return f"await {transport.sid} {transport.block_size}"
        case Flow(route):
            return f"flow {route.name}"


def _spoken(jingle: Jingle) -> str:
    more = [jingle.reason.value] if jingle.reason is not None else []
    if jingle.info is not None:
        more.append(type(jingle.info).__name__.removesuffix("Info").lower())
    for content in jingle.contents:
        match content.transport:
            case TransportNotice(_, notice):
                cid = getattr(notice, "cid", "")
                more.append(f"{type(notice).__name__} {cid}".strip())
            case InBandTransport(sid, size):
                more.append(f"{sid} {size}")
    return " ".join([jingle.action.value, *more])


def answer(error: StanzaError | None) -> str:
    """Return the answer to an iq of the peer."""
    if error is None:
        return "ok"
    return error.specific.partition("}")[2] or error.condition


class Talk:
    """Conversation with the bot's session state machine."""

    def __init__(
        self,
        *,
        initiating: bool = True,
        senders: str = "initiator",
        ours: Transport | None = None,
        theirs: Transport | None = None,
        file: FileDescription = PLAIN,
        quirks: Quirks = STANDARD,
        spare: str = "spare",
    ) -> None:
        self.ours = ours if ours is not None else socks5(OUR_DIRECT)
        self.theirs = theirs if theirs is not None else socks5(THEIR_DIRECT)
        offered = self.ours if initiating else self.theirs
        self.content = Content("file", senders=senders, file=file, transport=offered)
        terms = SessionParameters("s", self.content, initiating, quirks=quirks, spare_sid=spare)
        self.session = JingleSession(terms)
        self.ended: list[Ended] = []

    def words(self, effects: list[Effect] | tuple[Effect, ...]) -> list[str]:
        """Return the words for the output; nothing follows the end."""
        for effect in effects:
            assert not self.ended, effect
            if isinstance(effect, Ended):
                self.ended.append(effect)
        return [word(each) for each in effects]

    # --- the peer ---------------------------------------------------------------------------------

    def hears(
        self,
        action: Action,
        transport: Transport | None = None,
        *,
        name: str = "file",
        file: FileDescription | None = None,
        reason: JingleReason | None = None,
        info: Info | None = None,
    ) -> list[str]:
        """Pass an action of the peer in; return the words for the answer and the effects."""
        content = Content(name, file=file, transport=transport)
        contents = () if reason is not None or info is not None else (content,)
        reaction: Reaction = self.session.receive(Jingle(action, "s", contents, reason, info=info))
        return [answer(reaction.error), *self.words(reaction.effects)]

    def hears_notice(self, notice: Notice) -> list[str]:
        return self.hears(Action.TRANSPORT_INFO, TransportNotice("t", notice))

    def hears_end(self, reason: JingleReason) -> list[str]:
        return self.hears(Action.SESSION_TERMINATE, reason=reason)

    # --- the bot ----------------------------------------------------------------------------------

    def begins(self, file: FileDescription | None = None) -> list[str]:
        """Offer and accept the session, each by the side whose turn it is."""
        if not self.session.terms.initiating:
            assert isinstance(self.ours, Socks5Transport | InBandTransport)
            return self.words(self.session.accept(self.ours))
        assert self.words(self.session.offer())[0].startswith("session-initiate")
        said = self.hears(Action.SESSION_ACCEPT, self.theirs, file=file)
        assert said[0] == "ok"
        return said[1:]

    def dialled(self, chosen: Candidate | None) -> list[str]:
        return self.words(self.session.dialled(chosen))

    def expires(self) -> list[str]:
        assert self.session.wait_s is not None, self.session.state
        return self.words(self.session.expired())


def in_state(state: State, *, initiating: bool = True, senders: str = "initiator") -> Talk:
    """Return a session brought into the state by the shortest way."""
    if state in {State.OPENING, State.FLOWING, State.FINISHING, State.ENDED}:
        talk = Talk(initiating=initiating, senders=senders, ours=IN_BAND, theirs=IN_BAND)
    elif state is State.ACTIVATING:
        ours, theirs = socks5(OUR_PROXY), socks5(THEIR_PROXY)
        talk = Talk(initiating=initiating, senders=senders, ours=ours, theirs=theirs)
    else:
        talk = Talk(initiating=initiating, senders=senders)
    session = talk.session
    if state is State.OFFERED:
        if initiating:
            talk.words(session.offer())
        return talk
    talk.begins()
    if state is State.ACTIVATING:
        talk.dialled(None)
        talk.hears_notice(CandidateUsed("ours"))
    elif state is State.REPLACING:
        talk.dialled(None)
        talk.hears_notice(CandidateError())
    if state in {State.FLOWING, State.FINISHING, State.ENDED}:
        talk.words(session.opened())
    if state is State.FINISHING:
        talk.words(session.sent())
    if state is State.ENDED:
        talk.words(session.fail(JingleReason.CANCEL))
    assert session.state is state, session.state
    return talk
