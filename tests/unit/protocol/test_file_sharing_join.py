"""A file may come in two messages; it is offered once, and one whose bytes never come is told."""

from xml.etree.ElementTree import fromstring

import pytest

from filebot.model import Offer
from filebot.protocol.file_sharing import AttachmentJoiner, Shared, Unfinished, read
from filebot.protocol.file_sharing.attachments import Bound

ANNA = "anna@example.org"
URL = "https://up.example/a"


def message(children: str) -> Shared:
    return read(fromstring(f"<message xmlns='jabber:client'>{children}</message>"))


def announcement(*names: str) -> Shared:
    return message(
        "".join(
            f"<file-sharing xmlns='urn:xmpp:sfs:0' id='id-{name}'><file xmlns='urn:xmpp:file:metadata:0'>"
            f"<name>{name}</name></file></file-sharing>"
            for name in names
        )
    )


def oob(url: str) -> str:
    return f"<body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>"


def attached(url: str, to: str, *, file_id: str | None = None, with_oob: bool = True) -> Shared:
    named = "" if file_id is None else f" id='{file_id}'"
    source = f"<url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/>"
    return message(
        (oob(url) if with_oob else "")
        + f"<attach-to xmlns='urn:xmpp:message-attaching:1' id='{to}'/>"
        + f"<sources xmlns='urn:xmpp:sfs:0'{named}>{source}</sources>"
    )


def repeated(url: str, of: str) -> Shared:
    return message(f"{oob(url)}<attach-to xmlns='urn:xmpp:message-attaching:1' id='{of}'/>")


def test_dinos_announcement_and_its_sources_are_one_file() -> None:
    joiner = AttachmentJoiner()
    assert joiner.feed(ANNA, announcement("a.txt"), ["m1", "origin-1"], now=0.0) == ()
    sources = attached(URL, "origin-1", file_id="id-a.txt")
    assert joiner.feed(ANNA, sources, ["m2"], now=9.0) == (Offer(urls=(URL,), name="a.txt"),)
    assert joiner.expire(1e9) == ()


def test_sources_that_come_twice_give_the_file_once() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, announcement("a.txt"), ["m1"], now=0.0)
    assert len(joiner.feed(ANNA, attached(URL, "m1", file_id="id-a.txt"), ["m2"], now=1.0)) == 1
    assert joiner.feed(ANNA, attached(URL, "m1", file_id="id-a.txt"), ["m3"], now=2.0) == ()


def test_each_source_finds_its_own_file_among_several() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, announcement("a", "b"), ["m1"], now=0.0)
    (second,) = joiner.feed(ANNA, attached(f"{URL}2", "m1", file_id="id-b"), [], now=1.0)
    (first,) = joiner.feed(ANNA, attached(URL, "m1", with_oob=False), [], now=1.0)
    assert (first.name, second.name) == ("a", "b")


def test_an_attached_url_without_sources_completes_what_waits() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, announcement("a"), ["m1"], now=0.0)
    assert joiner.feed(ANNA, repeated(URL, "m1"), [], now=1.0) == (Offer(urls=(URL,), name="a"),)
    assert joiner.feed(ANNA, repeated(URL, "m1"), [], now=1.0) == ()


def test_kaidans_repetitions_are_no_second_files() -> None:
    joiner = AttachmentJoiner()
    album = message(
        "<body>Two</body>"
        + "".join(
            "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
            f"<name>{n}</name></file><sources><url-data xmlns='http://jabber.org/protocol/url-data'"
            f" target='{URL}{n}'/></sources></file-sharing>"
            for n in (1, 2)
        )
    )
    assert [offer.name for offer in joiner.feed(ANNA, album, ["k"], now=0.0)] == ["1", "2"]
    assert joiner.feed(ANNA, repeated(f"{URL}1", "k"), ["k_1"], now=0.0) == ()
    assert joiner.feed(ANNA, repeated(f"{URL}2", "k"), ["k_2"], now=0.0) == ()


def test_the_repetition_of_an_encrypted_file_offers_nothing() -> None:
    joiner = AttachmentJoiner()
    hidden = message(
        "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><encrypted xmlns='urn:xmpp:esfs:0'><sources"
        " xmlns='urn:xmpp:sfs:0'><url-data xmlns='http://jabber.org/protocol/url-data'"
        f" target='{URL}'/></sources></encrypted></sources></file-sharing>"
    )
    assert hidden.encrypted
    assert joiner.feed(ANNA, hidden, ["k"], now=0.0) == ()
    assert joiner.feed(ANNA, repeated(URL, "k"), ["k_1"], now=0.0) == ()


def test_a_url_attached_to_a_message_that_nobody_knows_is_a_file() -> None:
    assert AttachmentJoiner().feed(ANNA, repeated(URL, "lost"), ["x"], now=0.0) == (Offer(urls=(URL,)),)


def test_a_new_url_attached_to_a_known_message_is_a_file() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, message(oob(URL)), ["m1"], now=0.0)
    assert joiner.feed(ANNA, repeated(f"{URL}2", "m1"), [], now=0.0) == (Offer(urls=(f"{URL}2",)),)


def test_a_further_source_of_a_told_file_is_no_second_file() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, message(oob(URL)), ["m1"], now=0.0)
    assert joiner.feed(ANNA, attached(f"{URL}2", "m1"), [], now=0.0) == ()


@pytest.mark.conformance(23)
def test_nobody_attaches_to_the_message_of_somebody_else() -> None:
    joiner = AttachmentJoiner()
    joiner.feed(ANNA, announcement("a"), ["m1"], now=0.0)
    theirs = joiner.feed("eve@example.org", attached(URL, "m1", file_id="id-a"), [], now=1.0)
    assert theirs == (Offer(urls=(URL,)),)
    assert joiner.expire(300.0) == (Unfinished(ANNA, Offer(name="a")),)


def test_an_announcement_whose_sources_never_come_is_told_once() -> None:
    joiner = AttachmentJoiner(max_age_s=60.0)
    joiner.feed(ANNA, announcement("a"), ["m1"], now=0.0)
    assert joiner.expire(59.0) == ()
    assert joiner.expire(60.0) == (Unfinished(ANNA, Offer(name="a")),)
    assert joiner.expire(61.0) == ()


def test_one_sender_cannot_push_out_the_files_of_another() -> None:
    joiner = AttachmentJoiner(most=Bound(40, 10**6), most_of_one_sender=Bound(10, 10**6))
    joiner.feed(ANNA, announcement("a"), ["m1"], now=0.0)
    for n in range(100):
        joiner.feed("eve@example.org", announcement("x"), [str(n)], now=1.0)
    assert joiner.feed(ANNA, attached(URL, "m1", file_id="id-a"), [], now=2.0)[0].name == "a"
    assert 0 < len(joiner.expire(2.0)) <= 40


def test_an_id_used_twice_means_the_later_message() -> None:
    joiner = AttachmentJoiner(max_age_s=60.0)
    joiner.feed(ANNA, announcement("a"), ["m1"], now=0.0)
    joiner.feed(ANNA, announcement("b"), ["m1"], now=30.0)
    assert joiner.expire(60.0) == (Unfinished(ANNA, Offer(name="a")),)
    assert joiner.feed(ANNA, attached(URL, "m1"), [], now=61.0) == (Offer(urls=(URL,), name="b"),)
