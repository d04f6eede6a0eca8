"""Requests of owners and moderators of rooms, and leaving a room (XEP-0045), written out."""

import asyncio
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.peer import Peer

MUC = "http://jabber.org/protocol/muc"
LIMIT_S = 20.0

Affiliation = Literal["outcast", "none", "member", "admin", "owner"]
Role = Literal["none", "visitor", "participant", "moderator"]


async def configure(owner: Peer, room: str, **fields: str) -> None:
    """Set fields of a room's configuration, by their names without ``muc#roomconfig_`` (section 10.2)."""
    form = Element("{jabber:x:data}x", {"type": "submit"})
    values = {"FORM_TYPE": f"{MUC}#roomconfig"} | {
        f"muc#roomconfig_{name}": value for name, value in fields.items()
    }
    if fields.get("allowpm") == "none":
        # COMPAT(ejabberd, 23.01): has another name for the field.
        del values["muc#roomconfig_allowpm"]
        values["allow_private_messages"] = "0"
    if fields.get("moderatedroom") == "1":
        # COMPAT(ejabberd, 23.01): a moderated room gives newcomers a voice unless told not to.
        values["members_by_default"] = "0"
    for name, value in values.items():
        field = SubElement(form, "{jabber:x:data}field", {"var": name})
        SubElement(field, "{jabber:x:data}value").text = value
    await _ask(owner, room, "owner", form)


async def destroy(owner: Peer, room: str, other: str = "") -> None:
    """Destroy a room, with the JID of an alternate venue if there is one (section 10.9)."""
    await _ask(owner, room, "owner", Element(f"{{{MUC}#owner}}destroy", {"jid": other} if other else {}))


async def affiliate(owner: Peer, room: str, jid: str, affiliation: Affiliation) -> None:
    """Set somebody's affiliation (sections 9 and 10)."""
    await _ask(
        owner, room, "admin", Element(f"{{{MUC}#admin}}item", {"jid": jid, "affiliation": affiliation})
    )


async def set_role(moderator: Peer, room: str, nick: str, role: Role) -> None:
    """Set an occupant's role (section 8); ``none`` is a kick."""
    await _ask(moderator, room, "admin", Element(f"{{{MUC}#admin}}item", {"nick": nick, "role": role}))


async def leave(peer: Peer, room: str, nick: str) -> None:
    """Leave a room and wait until the nick is free (section 7.14)."""
    gone = asyncio.Event()

    def take(stanza: Any) -> None:
        if (stanza["from"].full, stanza.xml.get("type")) == (f"{room}/{nick}", "unavailable"):
            gone.set()

    handler = Callback(f"leaving {room}/{nick}", MatchXPath("{jabber:client}presence"), take)
    peer.client.register_handler(handler)
    try:
        peer.client.plugin["xep_0045"].leave_muc(JID(room), nick)
        await asyncio.wait_for(gone.wait(), LIMIT_S)
    finally:
        peer.client.remove_handler(handler.name)


async def _ask(peer: Peer, room: str, service: str, content: Element) -> None:
    iq = peer.client.make_iq_set(ito=JID(room))
    SubElement(iq.xml, f"{{{MUC}#{service}}}query").append(content)
    await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp
