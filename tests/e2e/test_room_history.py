"""The generator of a room's past makes what it says."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID

from filebot.demo.peer import Peer
from filebot.demo.prosody import Prosody
from tests.e2e import room_history
from tests.e2e.conftest import ROOM, sha256

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
LIMIT_S = 60.0


async def pages(peer: Peer, room: str) -> list[Element]:
    """All results of a room's archive, page by page (XEP-0313 section 4.3)."""
    after: str | None = None
    while True:
        iq = peer.client.make_iq_set(ito=JID(room))
        paging = SubElement(SubElement(iq.xml, f"{{{MAM}}}query"), f"{{{RSM}}}set")
        SubElement(paging, f"{{{RSM}}}max").text = "50"
        if after is not None:
            SubElement(paging, f"{{{RSM}}}after").text = after
        answer = await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        fin = answer.xml.find(f"{{{MAM}}}fin")
        assert fin is not None
        after = fin.findtext(f".//{{{RSM}}}last")
        if fin.get("complete") == "true" or after is None:
            break
    results = (each.element.find(f"{{{MAM}}}result") for each in peer.messages)
    return [each for each in results if each is not None]


async def test_all_that_was_said_is_in_the_archive_once_and_in_order(tmp_path: Path) -> None:
    server = Prosody(
        tmp_path / "prosody", users=["alice"], components=[room_history.DOMAIN], log_level="info"
    )
    async with server, room_history.file_host() as host, await Peer.of(server, "alice") as alice:
        await alice.join(ROOM, "alice")
        history = await room_history.fill(server, ROOM, host, messages=1_000, files=50)
        alice.messages.clear()
        results = await pages(alice, ROOM)
        said = [each.findtext(".//{jabber:client}body") for each in results]
        said = [each for each in said if each is not None]
        assert len(said) == len(set(said)) == history.messages == 1_000
        assert said[0] == "message 0"
        urls = [each.findtext(".//{jabber:x:oob}url") for each in results]
        assert [each for each in urls if each] == [each.url for each in history.files]
        assert len(history.files) == 50
        last = history.files[-1]
        assert sha256(await alice.download(last.url)) == last.sha256
