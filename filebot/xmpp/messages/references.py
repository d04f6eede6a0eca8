"""Messages about earlier ones: whose word counts for which.

A retraction is its author's alone (XEP-0424 section 5): whether that is the author of the message, too, is
found out where messages are remembered. A moderation is the room's alone (XEP-0425 section 5).
"""

from xml.etree.ElementTree import Element

from filebot.model import Address, AddressKind, BareJid, Reaction, Retraction, Sender
from filebot.protocol.message_references import (
    is_moderated_tombstone,
    is_tombstone,
    reactions,
    taken_back,
    tombstone_ids,
)
from filebot.xmpp.xml import language_of


def moderation(stanza: Element, room: BareJid) -> Retraction | None:
    """Read what a room itself says: that a message was taken back by a moderator, or nothing."""
    request = taken_back(stanza)
    if stanza.get("type") != "groupchat" or request is None or not request.moderated:
        return None
    return _by_room(room, request.message_id, is_moderation=True)


def room_tombstone(stanza: Element, room: BareJid, archive_id: str) -> Retraction | None:
    """Read what is left of a message in the archive of a room (XEP-0424 section 4)."""
    is_here = stanza.get("from", "").partition("/")[0] == room and archive_id
    return _by_room(room, archive_id, is_moderation=is_moderated_tombstone(stanza)) if is_here else None


def reference(stanza: Element, sender: Sender, *, is_past: bool) -> Retraction | Reaction | None:
    """Read what somebody says of an earlier message; its body is for clients that do not know it.

    ``is_past``: it was said some time ago, when a reaction may have answered something else.
    """
    if is_tombstone(stanza):  # in the bot's own archive
        ids = tombstone_ids(stanza)
        return Retraction(sender, ids) if is_past and ids else None
    request = taken_back(stanza)
    if request is not None:
        return None if request.moderated else Retraction(sender, (request.message_id,))
    reaction = reactions(stanza)
    if reaction is None or is_past:
        return None
    return Reaction(sender, *reaction, language=language_of(stanza))


def _by_room(room: BareJid, message_id: str, *, is_moderation: bool) -> Retraction:
    itself = Sender(Address(room, AddressKind.ROOM), None, room)
    return Retraction(itself, (message_id,), by_room=True, is_moderation=is_moderation)
