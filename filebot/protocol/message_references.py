"""Messages about earlier messages: retractions, moderations, reactions and corrections.

Total: whatever a peer sends, the answer is a value. Who may say such a thing is not decided here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element

from filebot.protocol.xml import first, local_name, named

RETRACT: Final = "urn:xmpp:message-retract:1"  # XEP-0424
OLD_RETRACT: Final = "urn:xmpp:message-retract:0"
FASTEN: Final = "urn:xmpp:fasten:0"  # XEP-0422
REACTIONS: Final = "urn:xmpp:reactions:0"  # XEP-0444
CORRECT: Final = "urn:xmpp:message-correct:0"  # XEP-0308
STANZA_IDS: Final = "urn:xmpp:sid:0"  # XEP-0359

LONGEST_ID: Final = 500
"""Characters of the longest id of a message that is followed."""
MOST_IDS: Final = 4
"""Ids of one kind that are read from one message."""
MOST_REACTIONS: Final = 20
LONGEST_EMOJI: Final = 40
"""Characters: emoji joined from several are long."""

_RETRACTED: Final = frozenset({f"{{{RETRACT}}}retracted", f"{{{OLD_RETRACT}}}retracted"})

_REFERRING: Final = frozenset(
    {f"{{{RETRACT}}}retract", f"{{{FASTEN}}}apply-to", f"{{{REACTIONS}}}reactions"}
)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Request to take a message back."""

    message_id: str
    moderated: bool
    """Whether it is in the name of a moderator: only the room itself may say so (XEP-0425)."""


def refers(message: Element) -> bool:
    """Return whether a message only tells something of another one, well formed or not.

    Its body is for clients that do not know that.
    """
    return any(child.tag in _REFERRING for child in message)


def taken_back(message: Element) -> TakenBack | None:
    """Return what a message asks to take back; None if it is no such request."""
    retract = first(message, RETRACT, "retract")
    if retract is not None:
        return _taken_back(retract, moderated=_is_moderated(retract))
    apply_to = first(message, FASTEN, "apply-to")  # versions 0.3 of XEP-0424 and 0.2 of XEP-0425
    if apply_to is None:
        return None
    if _is_moderated(apply_to):
        is_retraction = any(
            first(each, OLD_RETRACT, "retract") is not None
            for each in apply_to
            if local_name(each) == "moderated"
        )
        return _taken_back(apply_to, moderated=True) if is_retraction else None
    is_retraction = first(apply_to, OLD_RETRACT, "retract") is not None
    return _taken_back(apply_to, moderated=False) if is_retraction else None


def is_tombstone(message: Element) -> bool:
    """Return whether an archive has only the place of a message left, which was taken back."""
    return any(child.tag in _RETRACTED for child in message) or _has_old_moderated(message)


def is_moderated_tombstone(message: Element) -> bool:
    """Return whether a moderator took it back."""
    return _has_old_moderated(message) or any(
        child.tag in _RETRACTED and _is_moderated(child) for child in message
    )


def tombstone_ids(message: Element) -> tuple[str, ...]:
    """Return the ids that the message had, by its client."""
    inside = (each for child in message if child.tag in _RETRACTED for each in _origin_ids(child))
    ids = (message.get("id", ""), *islice(_origin_ids(message), MOST_IDS), *islice(inside, MOST_IDS))
    return tuple(dict.fromkeys(filter(_is_sane, ids)))


def own_ids(message: Element) -> tuple[str, ...]:
    """Return the ids that its client gave a message, the stanza's ``id`` first."""
    ids = (message.get("id", ""), *islice(_origin_ids(message), MOST_IDS))
    return tuple(dict.fromkeys(filter(_is_sane, ids)))


def replaced_id(message: Element) -> str:
    """Return the id of the message that this one corrects; empty if it is no correction."""
    replace = first(message, CORRECT, "replace")
    return "" if replace is None else _sane(replace.get("id", ""))


def reactions(message: Element) -> tuple[str, tuple[str, ...]] | None:
    """Return the id of a message and the reactions to it; None if there are none, and no id."""
    found = first(message, REACTIONS, "reactions")
    message_id = "" if found is None else _sane(found.get("id", ""))
    if found is None or not message_id:
        return None
    read = islice(named(found, REACTIONS, "reaction"), MOST_REACTIONS)
    texts = ((each.text or "").strip() for each in read)
    return message_id, tuple(dict.fromkeys(text for text in texts if 0 < len(text) <= LONGEST_EMOJI))


def _taken_back(reference: Element, *, moderated: bool) -> TakenBack | None:
    message_id = _sane(reference.get("id", ""))
    return TakenBack(message_id, moderated) if message_id else None


def _is_moderated(element: Element) -> bool:
    # In whatever namespace: nobody's own retraction says so, and a forged one must not pass for one.
    return any(local_name(child) == "moderated" for child in element)


def _has_old_moderated(message: Element) -> bool:
    return any(
        local_name(child) == "moderated" and any(each.tag in _RETRACTED for each in child)
        for child in message
    )


def _origin_ids(element: Element) -> Iterator[str]:
    return (each.get("id", "") for each in named(element, STANZA_IDS, "origin-id"))


def _is_sane(message_id: str) -> bool:
    return 0 < len(message_id) <= LONGEST_ID


def _sane(message_id: str) -> str:
    return message_id if _is_sane(message_id) else ""
