"""Names in Content-Disposition, by the RFCs and as servers write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.protocol.content_disposition import file_name


def raw(data: bytes) -> str:
    """Return a header as the HTTP client gives it."""
    return data.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        # RFC 6266 and RFC 8187
        ("attachment; filename=report.pdf", "report.pdf"),
        ('attachment; filename="Annual report.pdf"', "Annual report.pdf"),
        ('attachment; filename="a \\"b\\".txt"', 'a "b".txt'),
        ("attachment; filename=\"EURO.txt\"; filename*=utf-8''%e2%82%ac.txt", "€.txt"),
        ("attachment; filename*=utf-8''%e2%82%ac.txt; filename=\"EURO.txt\"", "€.txt"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.txt", "£ rates.txt"),
        ("attachment; filename*=GBK''%B1%A8%B8%E6.pdf", "报告.pdf"),
        ("ATTACHMENT ; FileName = x.txt", "x.txt"),
        ('attachment; filename="a;b=c.txt"; size=3', "a;b=c.txt"),
        # Against both
        ("attachment; filename=Annual report 2024.pdf", "Annual report 2024.pdf"),
        ("attachment; filename=Annual report 2024.pdf; size=12", "Annual report 2024.pdf"),
        ("attachment; filename=one; two.pdf", "one; two.pdf"),
        ('filename="bare.pdf"', "bare.pdf"),
        ("filename=bare.pdf", "bare.pdf"),
        ('attachment; filename="no end.pdf', "no end.pdf"),
        ("attachment; filename='single.pdf'", "single.pdf"),
        ("attachment; filename*=\"UTF-8''quoted%20anyway.pdf\"", "quoted anyway.pdf"),
        ("attachment; filename*=no%20charset.pdf", "no charset.pdf"),
        ("attachment; filename=UTF-8''in%20the%20wrong%20one.pdf", "in the wrong one.pdf"),
        ('attachment; filename="%E6%8A%A5%E5%91%8A.pdf"', "报告.pdf"),
        ('attachment; filename="100%.pdf"', "100%.pdf"),
        ('attachment; filename="=?UTF-8?B?5oql5ZGKLnBkZg==?="', "报告.pdf"),
        ('attachment; filename="=?UTF-8?Q?=C3=BCber=20uns.pdf?="', "über uns.pdf"),
        ('attachment; filename="=?nonsense?B?!?="', "=?nonsense?B?!?="),
        ('attachment; filename="C:\\Users\\me\\report.pdf"', "C:\\Users\\me\\report.pdf"),
        ("attachment; filename*0=a; filename*1=b", "ab"),
        ("attachment; filename*0*=UTF-8''%e2%82; filename*1*=%ac.txt", "€.txt"),
        (raw('attachment; filename="報告.pdf"'.encode()), "報告.pdf"),
        ('attachment; filename="' + "報告.pdf".encode().decode("latin-1") + '"', "報告.pdf"),
        ('attachment; filename="' + "Übung.pdf".encode().decode("windows-1252") + '"', "Übung.pdf"),
        (raw('attachment; filename="Übung é.pdf"'.encode("latin-1")), "Übung é.pdf"),
        (raw('attachment; filename="报告2024.pdf"'.encode("gbk")), "报告2024.pdf"),
        # One that cannot be read leaves the other
        ("attachment; filename*=UTF-8''%ff%fe; filename=other.pdf", "other.pdf"),
        ("attachment; filename*=zip''x; filename=other.pdf", "other.pdf"),
        ("attachment; filename*=UTF-8''; filename=other.pdf", "other.pdf"),
        # No name
        ("attachment", None),
        ('attachment; filename=""', None),
        ("attachment; filename=", None),
        ("attachment; filename*=UTF-8''", None),
        ("inline; filename", None),
        ("", None),
        (";;;===", None),
    ],
)
def test_a_name_is_read_as_browsers_read_it(header: str, name: str | None) -> None:
    assert file_name(header) == name


@given(st.text(alphabet=st.sampled_from("filename*=;\"'\\% =?BQaé\udcff01"), max_size=80))
def test_every_header_can_be_read(text: str) -> None:
    found = file_name(f"attachment; {text}")
    assert found is None or found


@pytest.mark.parametrize("part", [";", "a=b;", "\\", '"', "%ff", "=?UTF-8?B?YQ==?= ", "; "])
def test_a_long_header_takes_no_time(part: str) -> None:
    began = time.perf_counter()
    file_name("attachment; filename=" + part * 100_000)
    assert time.perf_counter() - began < 1
