"""The requests of byte streams and commands, read and answered without slixmpp's stanza objects.

A file of 100 MB in blocks of 4096 bytes is 25,000 stanzas each way; objects and matchers made for a few
would cost several times what the bytes do. What this lane does not know goes on to slixmpp.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from slixmpp.xmlstream import tostring

from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.xml import bounded_int
from filebot.xmpp.connection.stream import Stream

_LARGEST_NUMBER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """A stanza that wants something: an iq, or a message with data."""

    stanza: Element
    payload: Element
    """The child that tells what it is about."""
    peer: str
    """Full JID of the asker, as the server stamped it."""
    own: str
    """By which of its addresses the bot was asked."""
    expects_answer: bool

    @property
    def sid(self) -> str:
        """The session that it belongs to."""
        return self.payload.get("sid", "")

    @property
    def bare(self) -> "Request":
        """The request without its content, which may take much memory: enough to answer it."""
        stanza = Element(self.stanza.tag, {"id": self.stanza.get("id", "")})
        return replace(self, stanza=stanza, payload=Element(self.payload.tag))


Take: TypeAlias = Callable[[Request], None]
Answered: TypeAlias = Callable[[int, Element], None]
"""Takes the number that was asked with, and the answer, a result or an error."""


class IqFastPath:
    """Brings requests to whoever serves their payload, and answers to their askers."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._iq, self._message = f"{{{stream.default_ns}}}iq", f"{{{stream.default_ns}}}message"
        self._takers: dict[str, Take] = {}
        self._askable: dict[str, Callable[[Request], bool]] = {}
        self._askers: dict[str, tuple[str, Answered]] = {}
        stream.fast_path = self._take

    def serve(self, payload: str, take: Take, *, in_messages: bool = False) -> None:
        """Give all requests with this child (``{namespace}name``) to ``take``."""
        self._takers[payload] = take
        if in_messages:
            self._stream.fast_payloads |= {payload}

    def serve_questions(self, payload: str, take: Callable[[Request], bool]) -> None:
        """Show all iq-gets with this child to ``take``, which returns whether it answers them."""
        self._askable[payload] = take

    # --- answers --------------------------------------------------------------------------------

    def acknowledge(self, request: Request) -> None:
        """Answer with an empty result."""
        if request.expects_answer:
            self._stream.post(f"<iq{self._reply_attributes(request, 'result')}/>")

    def answer(self, request: Request, payload: Element) -> None:
        """Answer with a result."""
        self._reply(request, "result", payload)

    def fits(self, request: Request, payload: Element) -> bool:
        """Return whether the server takes this answer: larger ones are not sent."""
        text = f"<iq{self._reply_attributes(request, 'result')}>{self.text(payload)}</iq>"
        return len(text.encode()) <= self._stream.stanza_limit_bytes

    def refuse(self, request: Request, error: StanzaError) -> None:
        """Answer with an error. Nobody reads errors about messages (RFC 6120 section 8.3.1 allows none)."""
        self._reply(request, "error", error.element(self._stream.default_ns))

    def _reply(self, request: Request, kind: str, payload: Element) -> None:
        if request.expects_answer:
            content = self.text(payload)
            self._stream.post(f"<iq{self._reply_attributes(request, kind)}>{content}</iq>")

    def _reply_attributes(self, request: Request, kind: str) -> str:
        return self.attributes(kind, request.stanza.get("id", ""), to=request.peer, own=request.own)

    # --- questions ------------------------------------------------------------------------------

    def tell(self, to: str, own: str, payload: Element) -> None:
        """Send an iq-set whose answer does not matter."""
        attributes = self.attributes("set", self._stream.new_id(), to=to, own=own)
        self._stream.post(f"<iq{attributes}>{self.text(payload)}</iq>")

    def expect(self, name: str, peer: str, answered: Answered) -> None:
        """Give answers of this peer to iqs with ids ``<name>-<number>`` to ``answered``."""
        self._askers[name] = (peer, answered)

    def forget(self, name: str) -> None:
        """Expect no more answers under this name; those that come late are ignored."""
        self._askers.pop(name, None)

    def attributes(self, kind: str, stanza_id: str, *, to: str, own: str) -> str:
        """The attributes of an iq as text; a client's server adds the sender itself."""
        sender = f" from={quoteattr(own)}" if self._stream.is_component else ""
        return f' type="{kind}" id={quoteattr(stanza_id)} to={quoteattr(to)}{sender}'

    def text(self, element: Element) -> str:
        """An element as it stands in the stream: without prefixes, which some clients do not read."""
        return str(tostring(element, xmlns=self._stream.default_ns, stream=self._stream))

    # --- the lane -------------------------------------------------------------------------------

    def _take(self, stanza: Element) -> bool:
        kind = stanza.get("type")
        if stanza.tag == self._iq:
            if kind == "set" and len(stanza):
                return self._requested(stanza, stanza[0], expects_answer=True)
            if kind == "get" and len(stanza):
                return self._asked(stanza, stanza[0])
            return kind in {"result", "error"} and self._answered(stanza)
        if stanza.tag == self._message and kind != "error":
            for child in stanza:
                if child.tag in self._stream.fast_payloads:
                    return self._requested(stanza, child, expects_answer=False)
        return False

    def _requested(self, stanza: Element, payload: Element, *, expects_answer: bool) -> bool:
        take, request = self._takers.get(payload.tag), self._request(stanza, payload, expects_answer)
        if take is None or request is None:
            return False
        take(request)
        return True

    def _asked(self, stanza: Element, payload: Element) -> bool:
        take, request = self._askable.get(payload.tag), self._request(stanza, payload, expects_answer=True)
        return take is not None and request is not None and take(request)

    def _request(self, stanza: Element, payload: Element, expects_answer: bool) -> Request | None:
        peer = stanza.get("from")
        own = stanza.get("to") or self._stream.boundjid.full
        return Request(stanza, payload, peer, own, expects_answer) if peer else None

    def _answered(self, stanza: Element) -> bool:
        name, _, digits = stanza.get("id", "").rpartition("-")
        asked = self._askers.get(name)
        number = bounded_int(digits, _LARGEST_NUMBER)
        if asked is None or number is None or stanza.get("from") != asked[0]:
            return False
        asked[1](number, stanza)
        return True
