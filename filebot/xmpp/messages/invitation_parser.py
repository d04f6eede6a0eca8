"""Invitations into rooms, read without a judgement on whom to believe: direct ones (XEP-0249) and those
that a room passes on (XEP-0045 section 7.8.2).
"""

from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import BareJid, Invitation
from filebot.protocol.xml import first
from filebot.xmpp.jid import Jid
from filebot.xmpp.xml import CONFERENCE, MUC_USER, jid_or_none, language_of

INVITING: Final = frozenset({f"{{{MUC_USER}}}x", f"{{{CONFERENCE}}}x"})
"""Payloads of which a message that invites has one, and others may."""
LONGEST_PASSWORD: Final = 1000
"""In characters: it is stored. No room has longer ones."""


def is_invitation(stanza: Element) -> bool:
    """Whether a message invites. What its body says then is for people whose client knows no invitations.

    COMPAT(Prosody, 0.12; ejabberd, 23.01): they put a ``jabber:x:conference`` into what a room passes on as
    well; it is one invitation all the same.
    """
    x = first(stanza, MUC_USER, "x")
    mediated = x is not None and first(x, MUC_USER, "invite") is not None
    return stanza.get("type") != "groupchat" and (mediated or first(stanza, CONFERENCE, "x") is not None)


def read_direct(stanza: Element, speaker: Jid) -> Invitation | None:
    """Read the invitation of somebody's own client. None if it names no room."""
    x = first(stanza, CONFERENCE, "x")
    room = _room(None if x is None else jid_or_none(x.get("jid")))
    if x is None or room is None:
        return None
    password = _password(x.get("password"))
    return Invitation(room, speaker.bare, password, language=language_of(stanza))


def read_mediated(stanza: Element, speaker: Jid) -> Invitation | None:
    """Read an invitation that a room passes on. None if it is not the room itself that speaks."""
    x = first(stanza, MUC_USER, "x")
    invite = None if x is None else first(x, MUC_USER, "invite")
    room = None if speaker.resource else _room(speaker)
    inviter = None if invite is None else jid_or_none(invite.get("from"))
    if x is None or room is None or inviter is None:
        return None
    password = first(x, MUC_USER, "password")
    # COMPAT(Prosody, 0.12): a room that hides people gives their address in it.
    real = None if inviter.bare == room else inviter.bare
    return Invitation(room, real, _password(None if password is None else password.text), inviter.full)


def _password(text: str | None) -> str:
    return text if text and len(text) <= LONGEST_PASSWORD else ""


def _room(jid: Jid | None) -> BareJid | None:
    return jid.bare if jid is not None and jid.node else None
