"""Publishing of the bot's profile: at the beginning of each session, and only what has changed.

An account keeps its vcard (XEP-0054) and its avatar (XEP-0084, over XEP-0163) at its server. Servers that
have neither, or refuse, cost a line in the log. A component has no server that keeps anything: it answers
for itself, and its avatar is in its vcard alone. In both modes presences name the photo (XEP-0153).
"""

import asyncio
import logging
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.profile import (
    AVATAR_DATA,
    AVATAR_METADATA,
    NICK,
    PHOTO_UPDATE,
    VCARD,
    Profile,
    photo_digest,
    shows,
    write_avatar_data,
    write_avatar_metadata,
    write_nick,
    write_photo_update,
    write_vcard,
)
from filebot.protocol.xml import first
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 5.0
PUBLISH_LIMIT_S: Final = 10.0
"""How long the first presence waits for all of it."""

PUBSUB: Final = "http://jabber.org/protocol/pubsub"
_OPTIONS: Final = "http://jabber.org/protocol/pubsub#publish-options"
_MISSING: Final = "item-not-found"


class ProfilePublisher:
    """Keeps what others see of the bot as its profile says, and answers about it."""

    def __init__(self, stream: Stream, profile: Profile, fast_path: IqFastPath) -> None:
        self._stream = stream
        self._profile = profile
        self._fast_path = fast_path
        self._vcard = write_vcard(profile)
        self._photo = ""
        if stream.is_component and profile.picture is not None:
            self._photo = profile.picture.digest
        # A client's server answers for the account, but not for its resource.
        fast_path.serve_questions(f"{{{VCARD}}}vCard", self._asked)
        stream.add_filter("out", self._with_photo)

    async def publish(self) -> None:
        """Publish what has changed since the account was last told; for a component nothing."""
        if self._stream.is_component or self._profile == Profile():
            return
        try:
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                await self._publish_vcard()
                await self._publish_items()
        except TimeoutError:
            log.warning("the server does not say whether it shows the bot's name and picture")
        except XMPPError as error:
            log.info("the server does not show the bot's name and picture everywhere: %s", error.condition)

    async def _publish_vcard(self) -> None:
        try:
            before = first(await self._ask("get", Element(f"{{{VCARD}}}vCard")), VCARD, "vCard")
        except XMPPError as error:
            if error.condition != _MISSING:
                log.info("the server keeps no vcard: %s", error.condition)
                return
            before = None
        self._photo, profile = photo_digest(before), self._wanted(photo_digest(before))
        if not shows(before, profile):
            await self._ask("set", write_vcard(profile, before))
            log.info("the bot's vcard is published")
        if profile.picture is not None:
            self._photo = profile.picture.digest

    def _wanted(self, there: str) -> Profile:
        """Return the profile without its picture if the account shall keep the one that it has."""
        own = self._profile
        keeps = bool(there) and not own.replaces_picture
        return Profile(own.name, own.description) if keeps else own

    async def _publish_items(self) -> None:
        picture, name = self._profile.picture, self._profile.name
        info = await self._item(AVATAR_METADATA)
        there = "" if info is None else next((each.get("id", "") for each in info), "")
        keeps = bool(there) and not self._profile.replaces_picture
        if picture is not None and there != picture.digest and not keeps:
            await self._publish_item(AVATAR_DATA, picture.digest, write_avatar_data(picture))
            await self._publish_item(AVATAR_METADATA, picture.digest, write_avatar_metadata(picture))
            log.info("the bot's avatar is published")
        nick = await self._item(NICK)
        if name and (nick is None or nick.text != name):
            await self._publish_item(NICK, "current", write_nick(name))

    async def _item(self, node: str) -> Element | None:
        """Return the content of the newest item of a node; None if there is none."""
        pubsub = Element(f"{{{PUBSUB}}}pubsub")
        SubElement(pubsub, f"{{{PUBSUB}}}items", {"node": node, "max_items": "1"})
        try:
            answer = await self._ask("get", pubsub)
        except XMPPError as error:
            if error.condition != _MISSING:
                raise
            return None
        item = answer.find(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}items/{{{PUBSUB}}}item")
        return None if item is None else next(iter(item), None)

    async def _publish_item(self, node: str, item_id: str, content: Element) -> None:
        try:
            await self._ask("set", _publication(node, item_id, content, is_open=True))
        except XMPPError as error:
            if error.condition != "conflict":
                raise
            # XEP-0060 section 7.1.5: the node has other options, and keeps them.
            await self._ask("set", _publication(node, item_id, content, is_open=False))

    async def _ask(self, kind: str, payload: Element) -> Element:
        own = self._stream.boundjid.bare
        make = self._stream.make_iq_get if kind == "get" else self._stream.make_iq_set
        iq = make(ito=own)
        iq.xml.append(payload)
        answer: Element = (await ask(self._stream, iq, ANSWER_LIMIT_S)).xml
        return answer

    def _asked(self, request: Request) -> bool:
        if not self._fast_path.fits(request, self._vcard):
            return False
        self._fast_path.answer(request, self._vcard)
        return True

    def _with_photo(self, stanza: StanzaBase) -> StanzaBase:
        """Name the photo in a presence by which the bot is there (XEP-0153 section 3.1)."""
        xml = stanza.xml
        is_presence = xml.tag == f"{{{self._stream.default_ns}}}presence" and xml.get("type") is None
        if self._photo and is_presence and xml.find(f"{{{PHOTO_UPDATE}}}x") is None:
            xml.append(write_photo_update(self._photo))
        return stanza


def _publication(node: str, item_id: str, content: Element, *, is_open: bool) -> Element:
    pubsub = Element(f"{{{PUBSUB}}}pubsub")
    publish = SubElement(pubsub, f"{{{PUBSUB}}}publish", {"node": node})
    SubElement(publish, f"{{{PUBSUB}}}item", {"id": item_id}).append(content)
    if is_open:
        options = SubElement(pubsub, f"{{{PUBSUB}}}publish-options")
        form = SubElement(options, f"{{{DATA_FORM}}}x", {"type": "submit"})
        for name, value in (("FORM_TYPE", _OPTIONS), ("pubsub#access_model", "open")):
            field = SubElement(form, f"{{{DATA_FORM}}}field", {"var": name})
            if name == "FORM_TYPE":
                field.set("type", "hidden")
            SubElement(field, f"{{{DATA_FORM}}}value").text = value
    return pubsub
