"""doap.xml lists the XEPs that the code and the documents name, each with its state, and no others."""

import ast
import re
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
SOURCES = ("filebot/protocol", "filebot/xmpp")
XMPP = "{https://linkmauve.fr/ns/xmpp-doap#}"
RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"

NOT_DONE = {
    "0027": "OpenPGP: such a message is answered with plain words",
    "0160": "offline storage is the server's; what comes from there is told by its stamp",
    "0373": "OpenPGP: such a message is answered with plain words",
    "0384": "OMEMO: such a message is answered with plain words",
    "0391": "Jingle encryption: such an offer is declined",
    "0402": "the catalog remembers rooms",
}
"""XEPs that are named and are not implemented: what is done instead."""

XEPS = {
    "eu.siacs.conversations.axolotl": "0384",
    "http://jabber.org/protocol/bytestreams": "0065",
    "http://jabber.org/protocol/caps": "0115",
    "http://jabber.org/protocol/chatstates": "0085",
    "http://jabber.org/protocol/commands": "0050",
    "http://jabber.org/protocol/disco": "0030",
    "http://jabber.org/protocol/feature-neg": "0020",
    "http://jabber.org/protocol/ibb": "0047",
    "http://jabber.org/protocol/muc": "0045",
    "http://jabber.org/protocol/offline": "0013",
    "http://jabber.org/protocol/nick": "0172",
    "http://jabber.org/protocol/pubsub": "0060",
    "http://jabber.org/protocol/rsm": "0059",
    "http://jabber.org/protocol/si": "0095",
    "http://jabber.org/protocol/si/profile/file-transfer": "0096",
    "http://jabber.org/protocol/url-data": "0103",
    "http://jabber.org/protocol/xdata-validate": "0122",
    "jabber:iq:version": "0092",
    "jabber:x:conference": "0249",
    "jabber:x:data": "0004",
    "jabber:x:encrypted": "0027",
    "jabber:x:oob": "0066",
    "urn:xmpp:avatar:data": "0084",
    "urn:xmpp:avatar:metadata": "0084",
    "urn:xmpp:carbons": "0280",
    "urn:xmpp:delay": "0203",
    "urn:xmpp:esfs": "0448",
    "urn:xmpp:fallback": "0428",
    "urn:xmpp:fasten": "0422",
    "urn:xmpp:feature-fallback": "0428",
    "urn:xmpp:file:metadata": "0446",
    "urn:xmpp:forward": "0297",
    "urn:xmpp:hash-function-text-names": "0300",
    "urn:xmpp:hashes": "0300",
    "urn:xmpp:hints": "0334",
    "urn:xmpp:http:upload": "0363",
    "urn:xmpp:jingle": "0166",
    "urn:xmpp:jingle:apps:file-transfer": "0234",
    "urn:xmpp:jingle:errors": "0166",
    "urn:xmpp:jingle:transports:ibb": "0261",
    "urn:xmpp:jingle:transports:s5b": "0260",
    "urn:xmpp:mam": "0313",
    "urn:xmpp:message-attaching": "0367",
    "urn:xmpp:message-correct": "0308",
    "urn:xmpp:message-moderate": "0425",
    "urn:xmpp:message-retract": "0424",
    "urn:xmpp:occupant-id": "0421",
    "urn:xmpp:omemo": "0384",
    "urn:xmpp:openpgp": "0373",
    "urn:xmpp:ping": "0199",
    "urn:xmpp:reactions": "0444",
    "urn:xmpp:receipts": "0184",
    "urn:xmpp:reference": "0372",
    "urn:xmpp:reply": "0461",
    "urn:xmpp:sfs": "0447",
    "urn:xmpp:sid": "0359",
    "urn:xmpp:sims": "0385",
    "urn:xmpp:sm": "0198",
    "urn:xmpp:time": "0202",
}
"""By namespace without its version."""


def listed() -> dict[str, str]:
    """Return the states by the XEP's number."""
    states: dict[str, str] = {}
    for each in ET.parse(ROOT / "doap.xml").iter(f"{XMPP}SupportedXep"):
        [xep, status] = [each.find(f"{XMPP}{name}") for name in ("xep", "status")]
        assert xep is not None
        assert status is not None
        match = re.fullmatch(r"https://xmpp\.org/extensions/xep-(\d{4})\.html", xep.attrib[RESOURCE])
        assert match is not None
        assert match[1] not in states
        states[match[1]] = status.text or ""
    return states


def namespaces() -> set[str]:
    """Return the namespaces of the code, without their versions."""
    found: set[str] = set()
    form = re.compile(
        r"\{?((?:urn:xmpp:|http://jabber\.org/protocol/|jabber:(?:iq|x):|eu\.siacs\.)[\w./:-]+)"
    )
    for folder in SOURCES:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                    found |= {re.sub(r":\d*$", "", each) for each in form.findall(node.value)}
    return found


def named(*paths: Path) -> set[str]:
    """Return the XEPs that these files name, as in "XEP-0095, 0096"."""
    found: set[str] = set()
    for path in paths:
        for group in re.findall(r"XEP-(\d{4}(?:(?:, | and )\d{4}\b)*)", path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"\d{4}", group))
    return found


def test_states_are_those_of_the_schema() -> None:
    states = listed()
    assert list(states) == sorted(states)
    assert set(states.values()) <= {"complete", "partial", "planned"}


def test_each_namespace_of_the_code_belongs_to_a_listed_xep() -> None:
    used = namespaces()
    assert used - set(XEPS) == set()
    assert {XEPS[each] for each in used} - set(NOT_DONE) <= set(listed())


def test_each_xep_that_the_documents_name_is_listed() -> None:
    documents = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    assert named(*documents) - set(NOT_DONE) <= set(listed())


def test_no_xep_is_listed_that_the_code_does_not_name() -> None:
    code = named(*(ROOT / "filebot").rglob("*.py")) | {XEPS[each] for each in namespaces()}
    assert set(listed()) <= code
    assert not set(listed()) & set(NOT_DONE)
    assert set(NOT_DONE) <= code


def test_each_xep_that_the_code_names_is_listed_or_explained() -> None:
    assert named(*(ROOT / "filebot").rglob("*.py")) - set(NOT_DONE) <= set(listed())
