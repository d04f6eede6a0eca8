"""The upload service's stanzas (XEP-0363) become slots, limits and errors that tell what to do next."""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import (
    NoUploadService,
    ServiceQuotaReached,
    ServiceRefused,
    TooLargeForService,
    TransferError,
)
from filebot.model import Slot
from filebot.protocol.http_upload import Service, read_service, read_slot, slot_error, slot_filename

CONDITION = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
UPLOAD = "xmlns='urn:xmpp:http:upload:0'"


def iq(children: str, *, namespace: str = "jabber:client") -> Element:
    return fromstring(f"<iq xmlns='{namespace}' type='result'>{children}</iq>")


def query(children: str) -> Element:
    return fromstring(f"<query xmlns='http://jabber.org/protocol/disco#info'>{children}</query>")


def form(limit: str, form_type: str = "urn:xmpp:http:upload:0") -> str:
    return (
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>"
        f"<value>{form_type}</value></field><field var='max-file-size'><value>{limit}</value></field></x>"
    )


FEATURE = "<feature var='urn:xmpp:http:upload:0'/>"


@pytest.mark.parametrize(
    ("children", "service"),
    [
        (FEATURE + form("5242880"), Service(5242880)),
        (FEATURE, Service(None)),
        (FEATURE + form("many"), Service(None)),
        (FEATURE + form("9" * 5000), Service(None)),
        (FEATURE + form("1", "urn:example:other") + form("2"), Service(2)),
        (FEATURE + "<x xmlns='jabber:x:data'><field/></x>", Service(None)),
        ("<feature var='urn:xmpp:http:upload'/>" + form("1"), None),
        ("", None),
    ],
)
def test_a_service_is_known_by_its_feature_and_limited_by_its_form(
    children: str, service: Service | None
) -> None:
    assert read_service(query(children)) == service


def test_a_slot_passes_on_three_headers_and_no_newlines() -> None:
    slot = read_slot(
        iq(
            f"<slot {UPLOAD}><put url='https://up.example/put'>"
            "<header name='Authorization'>Basic\n Zm9v\r\n</header><header name='coOKie'>a=b</header>"
            "<header name='Expires\n'>0</header><header name='Host'>evil.example</header>"
            "<header name='authorization'>second</header><header>x</header>"
            "</put><get url='https://up.example/get'/></slot>"
        )
    )
    assert slot == Slot(
        "https://up.example/put",
        "https://up.example/get",
        {"Authorization": "Basic Zm9v", "Cookie": "a=b", "Expires": "0"},
    )


@pytest.mark.parametrize(
    "children",
    [
        "",
        f"<slot {UPLOAD}/>",
        f"<slot {UPLOAD}><put url='https://up.example/'/></slot>",
        f"<slot {UPLOAD}><put/><get url='https://up.example/'/></slot>",
    ],
)
def test_a_slot_without_both_urls_is_a_refusal(children: str) -> None:
    with pytest.raises(ServiceRefused):
        read_slot(iq(children))


@pytest.mark.parametrize("which", ["put", "get"])
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://up.example/a",
        "file:///etc/passwd",
        "xmpp:up.example",
        "//up.example/a",
        "https:///a",
        "https://[::1/a",
        "https://up.example:99999/a",
        "https://good.example@evil.example/a",
        "https://up.example/a b",
        "https://up.example/a\x7fb",
        "https://up.example/a\u0085b",
        "https://up.example/a\u2028https://evil.example",
        f"https://up.example/{'a' * 100_000}",
    ],
)
def test_a_slot_with_a_url_that_cannot_be_used_is_a_refusal(which: str, url: str) -> None:
    urls = {"put": "https://up.example/put", "get": "https://up.example/get", which: url}
    with pytest.raises(ServiceRefused):
        read_slot(iq(f"<slot {UPLOAD}><put url='{urls['put']}'/><get url='{urls['get']}'/></slot>"))


@pytest.mark.parametrize("url", ["HTTPS://Up.example/a", "http://[::1]:5280/a", "https://bücher.example/ä"])
def test_a_slot_with_a_usual_url_is_taken(url: str) -> None:
    slot = read_slot(iq(f"<slot {UPLOAD}><put url='{url}'/><get url='{url}'/></slot>"))
    assert (slot.put_url, slot.get_url) == (url, url)


def error(children: str, *, namespace: str = "jabber:client") -> TransferError:
    return slot_error(iq(f"<error type='modify'>{children}</error>", namespace=namespace), 77)


@pytest.mark.parametrize("namespace", ["jabber:client", "jabber:component:accept"])
def test_too_large_tells_the_services_limit(namespace: str) -> None:
    told = error(
        f"<not-acceptable {CONDITION}/><text {CONDITION}>no</text><file-too-large {UPLOAD}>"
        "<max-file-size>20000</max-file-size></file-too-large>",
        namespace=namespace,
    )
    assert isinstance(told, TooLargeForService)
    assert (told.size_bytes, told.limit_bytes) == (77, 20000)


def test_too_large_without_a_limit_is_still_too_large() -> None:
    told = error(f"<file-too-large {UPLOAD}/>")
    assert isinstance(told, TooLargeForService)
    assert told.limit_bytes is None


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2017-12-03T23:42:05Z", datetime(2017, 12, 3, 23, 42, 5, tzinfo=UTC)),
        ("2017-12-04T00:42:05+01:00", datetime(2017, 12, 3, 23, 42, 5, tzinfo=UTC)),
        ("2017-12-03T23:42:05", datetime(2017, 12, 3, 23, 42, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_used_up_quota_says_when_to_try_again(stamp: str, moment: datetime | None) -> None:
    told = error(f"<resource-constraint {CONDITION}/><retry {UPLOAD} stamp='{stamp}'/>")
    assert isinstance(told, ServiceQuotaReached)
    assert told.retry_at == moment


def test_prosodys_daily_quota_is_known_without_a_retry() -> None:
    told = error(f"<resource-constraint {CONDITION}/><text {CONDITION}>Daily quota reached</text>")
    assert isinstance(told, ServiceQuotaReached)
    assert told.retry_at is None


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("not-acceptable", ServiceRefused),
        ("forbidden", ServiceRefused),
        ("not-allowed", ServiceRefused),
        ("bad-request", ServiceRefused),
        ("internal-server-error", ServiceRefused),
        ("service-unavailable", NoUploadService),
        ("item-not-found", NoUploadService),
        ("remote-server-timeout", NoUploadService),
    ],
)
def test_other_conditions_tell_a_refusal_from_a_missing_service(
    condition: str, kind: type[TransferError]
) -> None:
    told = error(f"<text {CONDITION}>words</text><{condition} {CONDITION}/>")
    assert type(told) is kind
    assert str(told) == condition


@pytest.mark.parametrize("children", ["", "<error/>", "<error><x xmlns='y'/></error>"])
def test_an_error_that_says_nothing_is_a_refusal(children: str) -> None:
    assert isinstance(slot_error(iq(children), 1), ServiceRefused)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("summit.jpg", "summit.jpg"),
        ("Übersicht 2026.PDF", "Übersicht 2026.pdf"),
        ("отчёт.pdf", "отчёт.pdf"),
        ("a/b\\c.txt", "a_b_c.txt"),
        ("archive.tar.gz", "archive.tar.gz"),
        (".bashrc", "bashrc"),
        ("naïve — draft (1).txt", "naïve _ draft (1).txt"),
        ("写真", "写真"),
        ("photo.写真", "photo.写真"),
        ("a?b#c%d&e<f>.txt", "a_b_c_d_e_f.txt"),
        ("..", "file"),
        ("", "file"),
    ],
)
def test_the_name_in_a_slot_is_plain_and_keeps_its_extension(name: str, asked: str) -> None:
    assert slot_filename(name) == asked


@given(st.text(max_size=300))
def test_any_name_makes_a_plain_short_one(name: str) -> None:
    asked = slot_filename(name)
    assert 0 < len(asked) <= 100
    assert not set(asked) & set("/\\?#%&<>\"'\0\n")
    assert asked == asked.strip()
