"""The ``<jingle/>`` element (XEP-0166): reading and writing all that file transfers use of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import PeerProtocolError
from filebot.protocol.jingle.description import (
    NAMESPACES,
    FileDescription,
    read_checksum,
    read_description,
)
from filebot.protocol.jingle.namespaces import ERRORS, FILES, JINGLE
from filebot.protocol.jingle.transports import (
    LONGEST_ID,
    Notice,
    Transport,
    TransportNotice,
    UnknownTransport,
    read_transport,
)
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.xml import first, local_name, named, namespace_of

MOST_CONTENTS: Final = 16
_LONGEST_TEXT: Final = 1024
_SENDERS: Final = frozenset({"initiator", "responder", "both", "none"})


@unique
class Action(Enum):
    """All actions that XEP-0166 defines."""

    CONTENT_ACCEPT = "content-accept"
    CONTENT_ADD = "content-add"
    CONTENT_MODIFY = "content-modify"
    CONTENT_REJECT = "content-reject"
    CONTENT_REMOVE = "content-remove"
    DESCRIPTION_INFO = "description-info"
    SECURITY_INFO = "security-info"
    SESSION_ACCEPT = "session-accept"
    SESSION_INFO = "session-info"
    SESSION_INITIATE = "session-initiate"
    SESSION_TERMINATE = "session-terminate"
    TRANSPORT_ACCEPT = "transport-accept"
    TRANSPORT_INFO = "transport-info"
    TRANSPORT_REJECT = "transport-reject"
    TRANSPORT_REPLACE = "transport-replace"


@unique
class JingleReason(Enum):
    """Reason for the end of a session (XEP-0166, "Reason Element")."""

    ALTERNATIVE_SESSION = "alternative-session"
    BUSY = "busy"
    CANCEL = "cancel"
    CONNECTIVITY_ERROR = "connectivity-error"
    DECLINE = "decline"
    EXPIRED = "expired"
    FAILED_APPLICATION = "failed-application"
    FAILED_TRANSPORT = "failed-transport"
    GENERAL_ERROR = "general-error"
    GONE = "gone"
    INCOMPATIBLE_PARAMETERS = "incompatible-parameters"
    MEDIA_ERROR = "media-error"
    SECURITY_ERROR = "security-error"
    SUCCESS = "success"
    TIMEOUT = "timeout"
    UNSUPPORTED_APPLICATIONS = "unsupported-applications"
    UNSUPPORTED_TRANSPORTS = "unsupported-transports"


@dataclass(frozen=True, slots=True)
class Content:
    """One ``<content/>``."""

    name: str
    creator: str = "initiator"
    senders: str = "both"
    """The sending side: ``initiator``, ``responder``, ``both`` or ``none``."""
    file: FileDescription | None = None
    """None if the content is no file, or if this element does not describe it."""
    transport: Transport | None = None
    secured: bool = False
    """The bytes are encrypted by a method of their own (XEP-0391): filebot has none."""

    @property
    def bare(self) -> "Content":
        """Its name and creator alone, as most actions want them."""
        return Content(self.name, self.creator)


@dataclass(frozen=True, slots=True)
class ReceivedInfo:
    """The receiver has the file (XEP-0234, "Received")."""

    content: str = ""
    """The name of the content."""
    creator: str = "initiator"
    namespace: str = FILES

    def element(self) -> Element:
        """Return it as it goes into a ``session-info``."""
        return Element(f"{{{self.namespace}}}received", {"creator": self.creator, "name": self.content})


@dataclass(frozen=True, slots=True)
class Checksum:
    """Hashes of the file, sent after the data (XEP-0234, "Checksum")."""

    hashes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Ping:
    """Empty ``session-info``, which asks whether the session is alive."""


@dataclass(frozen=True, slots=True)
class UnknownInfo:
    """Any other ``session-info``, such as ringing."""


Info: TypeAlias = ReceivedInfo | Checksum | Ping | UnknownInfo


@dataclass(frozen=True, slots=True)
class Jingle:
    """One ``<jingle/>`` element, the content of an iq."""

    action: Action
    sid: str
    contents: tuple[Content, ...] = ()
    reason: JingleReason | None = None
    """For ``session-terminate``; GENERAL_ERROR stands for reasons that XEP-0166 does not define, too."""
    text: str = ""
    """For a person, beside the reason."""
    info: Info | None = None
    """For ``session-info``."""
    initiator: str = field(default="", compare=False)
    """Written into ``session-initiate``; never read, as the sender of the iq is the initiator."""
    responder: str = field(default="", compare=False)

    def content(self, name: str) -> Content | None:
        """Return the content of this name."""
        return next((each for each in self.contents if each.name == name), None)

    @property
    def notice(self) -> Notice | None:
        """The first notice about a transport in it."""
        transports = (each.transport for each in self.contents)
        return next((each.notice for each in transports if isinstance(each, TransportNotice)), None)

    def element(self) -> Element:
        """Return it as it goes into an iq."""
        parties = {"initiator": self.initiator, "responder": self.responder}
        attributes = {"action": self.action.value, "sid": self.sid} | {
            k: v for k, v in parties.items() if v
        }
        jingle = Element(f"{{{JINGLE}}}jingle", attributes)
        jingle.extend(_content_element(content) for content in self.contents)
        if self.reason is not None:
            reason = SubElement(jingle, f"{{{JINGLE}}}reason")
            SubElement(reason, f"{{{JINGLE}}}{self.reason.value}")
            if self.text:
                SubElement(reason, f"{{{JINGLE}}}text").text = self.text
        if isinstance(self.info, ReceivedInfo):
            jingle.append(self.info.element())
        return jingle


# --- errors -----------------------------------------------------------------------------------------


class BadJingle(PeerProtocolError):
    """An iq cannot be read; ``error`` is the answer to it."""

    def __init__(self, why: str, error: StanzaError | None = None) -> None:
        super().__init__(why)
        self.error = error or StanzaError("bad-request")


UNKNOWN_SESSION: Final = StanzaError("item-not-found", specific=f"{{{ERRORS}}}unknown-session")
OUT_OF_ORDER: Final = StanzaError("unexpected-request", "wait", f"{{{ERRORS}}}out-of-order")
TIE_BREAK: Final = StanzaError("conflict", specific=f"{{{ERRORS}}}tie-break")
UNSUPPORTED_INFO: Final = StanzaError("feature-not-implemented", "modify", f"{{{ERRORS}}}unsupported-info")


# --- reading ----------------------------------------------------------------------------------------


_ANSWERS: Final = frozenset({Action.SESSION_ACCEPT, Action.TRANSPORT_ACCEPT})
"""Answers to an offer of ours, or to its transport."""


def read_jingle(jingle: Element) -> Jingle:
    """Read a ``<jingle/>``. Raises BadJingle."""
    sid = jingle.get("sid", "")
    if not 0 < len(sid) <= LONGEST_ID:
        raise BadJingle("no sid")
    try:
        action = Action(jingle.get("action", ""))
    except ValueError as error:
        raise BadJingle(f"action {jingle.get('action', '')!r:.50}") from error
    contents = list(named(jingle, JINGLE, "content"))
    if len(contents) > MOST_CONTENTS:
        raise BadJingle(f"{len(contents)} contents")
    reason = first(jingle, JINGLE, "reason")
    return Jingle(
        action,
        sid,
        tuple(_read_content(content, answers=action in _ANSWERS) for content in contents),
        _read_reason(reason) if reason is not None or action is Action.SESSION_TERMINATE else None,
        _text(first(reason, JINGLE, "text")),
        _read_info(jingle) if action is Action.SESSION_INFO else None,
    )


def _read_content(content: Element, *, answers: bool) -> Content:
    name = content.get("name", "")
    if not 0 < len(name) <= LONGEST_ID:
        raise BadJingle("a content without a name")
    descriptions = [child for child in content if local_name(child) == "description"]
    transports = [child for child in content if local_name(child) == "transport"]
    file = next((child for child in descriptions if namespace_of(child) in NAMESPACES), None)
    try:
        transport = read_transport(transports[0], answers=answers) if transports else None
    except PeerProtocolError as error:
        raise BadJingle(str(error)) from error
    return Content(
        name,
        "responder" if content.get("creator") == "responder" else "initiator",
        senders if (senders := content.get("senders", "both")) in _SENDERS else "none",
        None if file is None else read_description(file),
        transport,
        secured=any(local_name(child) == "security" for child in content),
    )


def _read_reason(reason: Element | None) -> JingleReason:
    names = () if reason is None else (local_name(child) for child in reason)
    known = {each.value: each for each in JingleReason}
    # COMPAT(Dino): says ``failed_transport``.
    found = (known[name] for each in names if (name := each.replace("_", "-")) in known)
    return next(found, JingleReason.GENERAL_ERROR)


def _read_info(jingle: Element) -> Info:
    payloads = [child for child in jingle if namespace_of(child) != JINGLE]
    if not payloads:
        return Ping() if not len(jingle) else UnknownInfo()
    for payload in payloads:
        if namespace_of(payload) in NAMESPACES:
            match local_name(payload):
                case "received":
                    return ReceivedInfo()
                case "checksum":
                    return Checksum(read_checksum(payload))
    return UnknownInfo()


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()[:_LONGEST_TEXT]


# --- writing ----------------------------------------------------------------------------------------


def _content_element(content: Content) -> Element:
    attributes = {"creator": content.creator, "name": content.name}
    if content.senders != "both":
        attributes["senders"] = content.senders
    element = Element(f"{{{JINGLE}}}content", attributes)
    if content.file is not None:
        element.append(content.file.element())
    if content.transport is not None and not isinstance(content.transport, UnknownTransport):
        element.append(content.transport.element())
    return element
