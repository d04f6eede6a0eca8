"""The profile is published where the server lets it be, and only what has changed."""

from base64 import b64encode
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.stanza import Iq

from filebot.protocol.profile import Picture, Profile
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.connection.oversized import as_error
from filebot.xmpp.profile import publisher
from filebot.xmpp.profile.publisher import PUBSUB, ProfilePublisher
from tests.unit.xmpp.conftest import Mode, SentStanzas

VCARD = "{vcard-temp}"
PICTURE = Picture(b"bytes of a picture", "image/png", 192, 192)
PROFILE = Profile("Filo", "Keeps files.", PICTURE)
PHOTO = "{vcard-temp:x:update}x/{vcard-temp:x:update}photo"


class Server:
    """Server of an account; a condition in place of a vcard, or of items, refuses every request for it."""

    def __init__(self, vcard: Element | str | None = None, items: str | None = None) -> None:
        self.vcard = vcard
        self.items = items
        self.nodes: dict[str, Element] = {}
        self.set: list[str] = []
        """The vcards and the nodes that were set, in order."""

    async def ask(self, stream: object, iq: Iq, limit_s: float) -> Iq:
        [payload] = iq.xml
        answer = iq.reply()  # type: ignore[no-untyped-call]
        if payload.tag == f"{VCARD}vCard":
            if isinstance(self.vcard, str):
                raise self._error(iq, self.vcard)
            if iq["type"] == "set":
                self.set.append("vcard")
                self.vcard = payload
            elif self.vcard is None:
                raise self._error(iq, "item-not-found")
            else:
                answer.xml.append(self.vcard)
            return answer  # type: ignore[no-any-return]
        if self.items is not None:
            raise self._error(iq, self.items)
        [asked, *options] = payload
        node = asked.get("node", "")
        if iq["type"] == "set":
            if options and node in self.nodes:
                raise self._error(iq, "conflict")
            self.set.append(node.rpartition(":")[2])
            self.nodes[node] = asked[0]
        elif node not in self.nodes:
            raise self._error(iq, "item-not-found")
        else:
            items = SubElement(SubElement(answer.xml, f"{{{PUBSUB}}}pubsub"), f"{{{PUBSUB}}}items")
            items.append(self.nodes[node])
        return answer  # type: ignore[no-any-return]

    def _error(self, iq: Iq, condition: str) -> Exception:
        if condition == "silence":
            return IqTimeout(iq)  # type: ignore[no-untyped-call]
        return IqError(as_error(iq.reply(), condition))  # type: ignore[no-untyped-call]


Publish = Callable[..., ProfilePublisher]


@pytest.fixture
def publisher_of(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> Publish:
    def make(server: Server, profile: Profile = PROFILE) -> ProfilePublisher:
        monkeypatch.setattr(publisher, "ask", server.ask)
        return ProfilePublisher(outbox.stream, profile, IqFastPath(outbox.stream))

    return make


def photo_in(made: ProfilePublisher, outbox: SentStanzas, kind: str | None = None) -> str | None:
    presence = outbox.stream.make_presence(pshow=kind)
    made._with_photo(presence)
    return presence.xml.findtext(PHOTO)


def vcard_with(data: bytes) -> Element:
    vcard = Element(f"{VCARD}vCard")
    SubElement(SubElement(vcard, f"{VCARD}PHOTO"), f"{VCARD}BINVAL").text = b64encode(data).decode()
    return vcard


async def test_all_is_published_once(publisher_of: Publish, outbox: SentStanzas) -> None:
    server = Server()
    made = publisher_of(server)
    assert photo_in(made, outbox) is None, "before the server was asked"
    await made.publish()
    assert server.set == ["vcard", "data", "metadata", "http://jabber.org/protocol/nick".rpartition(":")[2]]
    assert photo_in(made, outbox) == PICTURE.digest
    assert photo_in(made, outbox, "unavailable") is None
    server.set.clear()
    await publisher_of(server).publish()
    assert server.set == [], "it has not changed"
    await publisher_of(server, Profile("Fila", "Keeps files.", PICTURE)).publish()
    assert len(server.set) == 2, "the vcard and the nickname, whose node has other options already"


async def test_our_own_picture_replaces_no_other(publisher_of: Publish, outbox: SentStanzas) -> None:
    server = Server(vcard_with(b"theirs"))
    made = publisher_of(server, Profile("Filo", "", PICTURE, replaces_picture=False))
    await made.publish()
    assert isinstance(server.vcard, Element)
    assert server.vcard.findtext(f"{VCARD}FN") == "Filo"
    assert photo_in(made, outbox) not in {None, PICTURE.digest}
    await publisher_of(server).publish()
    assert server.vcard.findtext(f"{VCARD}PHOTO/{VCARD}BINVAL") == b64encode(PICTURE.data).decode()


@pytest.mark.parametrize("condition", ["service-unavailable", "feature-not-implemented", "silence"])
async def test_a_server_without_one_of_both_is_no_trouble(
    publisher_of: Publish, outbox: SentStanzas, condition: str
) -> None:
    without_items = Server(items=condition)
    made = publisher_of(without_items)
    await made.publish()
    assert (without_items.set, photo_in(made, outbox)) == (["vcard"], PICTURE.digest)
    without_vcard = Server(vcard=condition)
    made = publisher_of(without_vcard)
    await made.publish()
    assert "metadata" in without_vcard.set
    assert photo_in(made, outbox) is None


@pytest.mark.parametrize("mode", ["component"])
async def test_a_component_names_its_photo_and_publishes_nothing(
    outbox_of: Callable[[Mode], SentStanzas], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, server = outbox_of(mode), Server()
    monkeypatch.setattr(publisher, "ask", server.ask)
    made = ProfilePublisher(outbox.stream, PROFILE, IqFastPath(outbox.stream))
    await made.publish()
    assert (server.set, photo_in(made, outbox)) == ([], PICTURE.digest)
