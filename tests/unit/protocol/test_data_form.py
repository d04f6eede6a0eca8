"""Data forms (XEP-0004): what is written, and what is believed of what comes back."""

from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest

from filebot.errors import BadForm
from filebot.model import Column, FieldKind, Form, FormField, FormOption, Table
from filebot.protocol.data_form import (
    DATA_FORM,
    MOST_BYTES,
    MOST_FIELDS,
    MOST_VALUES,
    read_submission,
    table_text,
    write_form,
    write_table,
)

OPTIONS = (FormOption("1", "report.pdf"), FormOption("2", "re\x07port.pdf"))
TO = FormField("to", FieldKind.ADDRESS, "To", is_required=True)
NAME = FormField("name", FieldKind.TEXT, "Name")
FILE = FormField("file", FieldKind.CHOICE, "File", options=OPTIONS)
FILES = FormField("files", FieldKind.CHOICES, "Files", options=OPTIONS)
LINES = FormField("lines", FieldKind.TEXTS, "Lines")
KEEP = FormField("keep", FieldKind.SWITCH, "Keep it", values=("true",))
READ = FormField("", FieldKind.FIXED, "", values=("Read me.",))


def submitted(*fields: tuple[str, tuple[str, ...]], kind: str = "submit") -> Element:
    x = Element(f"{{{DATA_FORM}}}x", {"type": kind})
    for name, values in fields:
        field = SubElement(x, f"{{{DATA_FORM}}}field", {"var": name})
        for value in values:
            SubElement(field, f"{{{DATA_FORM}}}value").text = value
    return x


def read(*fields: tuple[str, tuple[str, ...]], form: tuple[FormField, ...]) -> object:
    return read_submission(submitted(*fields), Form("", fields=form))


def problem(*fields: tuple[str, tuple[str, ...]], form: tuple[FormField, ...]) -> tuple[str, str]:
    with pytest.raises(BadForm) as refused:
        read(*fields, form=form)
    return refused.value.problem, refused.value.field


# --- writing ----------------------------------------------------------------------------------------


@pytest.mark.conformance(111)
def test_a_form_has_all_that_is_asked() -> None:
    opened = FormField("kind", FieldKind.CHOICE, "Kind", options=OPTIONS, is_open=True, description="Why")
    x = write_form(Form("Send", "First line\nSecond line", (TO, KEEP, READ, FILE, opened)))
    assert x.attrib == {"type": "form"}
    assert x.findtext(f"{{{DATA_FORM}}}title") == "Send"
    lines = x.findall(f"{{{DATA_FORM}}}instructions")
    assert [each.text for each in lines] == ["First line\nSecond line"]
    to, keep, text, file, kind = x.findall(f"{{{DATA_FORM}}}field")
    assert to.attrib == {"type": "jid-single", "var": "to", "label": "To"}
    assert to.find(f"{{{DATA_FORM}}}required") is not None
    assert (keep.get("type"), keep.findtext(f"{{{DATA_FORM}}}value")) == ("boolean", "true")
    assert text.attrib == {"type": "fixed"}
    options = [
        (each.get("label"), each.findtext(f"{{{DATA_FORM}}}value"))
        for each in file.iter(f"{{{DATA_FORM}}}option")
    ]
    assert options == [("report.pdf", "1"), ("re\ufffdport.pdf", "2")]
    assert kind.findtext(f"{{{DATA_FORM}}}desc") == "Why"
    assert [each.tag for each in kind.iter() if each.tag.endswith("}open")] == [
        "{http://jabber.org/protocol/xdata-validate}open"
    ]
    assert not [each for each in file.iter() if each.tag.endswith("}open")]


TABLE = Table(
    "Files",
    (Column("name", "Name"), Column("owner", "Owner", FieldKind.ADDRESS)),
    (("a\x00.pdf", "anna@example.org"), ("b\n.pdf", "bob@example.org")),
)


@pytest.mark.conformance(112)
def test_results_are_a_table() -> None:
    x = write_table(TABLE)
    assert x.get("type") == "result"
    reported = x.find(f"{{{DATA_FORM}}}reported")
    assert reported is not None
    assert [dict(each.attrib) for each in reported] == [
        {"var": "name", "label": "Name", "type": "text-single"},
        {"var": "owner", "label": "Owner", "type": "jid-single"},
    ]
    rows = [
        {each.get("var"): each.findtext(f"{{{DATA_FORM}}}value") for each in item}
        for item in x.findall(f"{{{DATA_FORM}}}item")
    ]
    assert rows == [
        {"name": "a\ufffd.pdf", "owner": "anna@example.org"},
        {"name": "b\n.pdf", "owner": "bob@example.org"},
    ]


def test_a_table_as_text_has_a_line_for_each_row() -> None:
    assert table_text(TABLE).splitlines() == [
        "Files",
        "Name | Owner",
        "a\x00.pdf | anna@example.org",
        "b .pdf | bob@example.org",
    ]


# --- reading ----------------------------------------------------------------------------------------


def test_what_is_filled_in_is_read() -> None:
    form = (TO, NAME, FILE, FILES, LINES, KEEP, READ)
    values = read(
        ("FORM_TYPE", ("x",)),
        ("to", ("bob@example.org",)),
        ("file", ("2",)),
        ("files", ("1", "2", "1")),
        ("lines", ("one", "", "three")),
        ("keep", ("0",)),
        ("", ("Read me.",)),
        form=form,
    )
    assert values == {
        "to": ("bob@example.org",),
        "file": ("2",),
        "files": ("1", "2"),
        "lines": ("one", "", "three"),
        "keep": ("false",),
    }


@pytest.mark.conformance(111)
def test_fields_that_the_form_does_not_have_are_left_out() -> None:
    assert read(("admin", ("true",)), ("name", ("a",)), form=(NAME,)) == {"name": ("a",)}
    hidden = FormField("", FieldKind.FIXED, "", values=("x",))
    assert read(("", ("other",)), form=(hidden,)) == {}


@pytest.mark.parametrize("values", [(), ("",), ("", "")])
def test_a_field_that_was_left_empty_has_no_value(values: tuple[str, ...]) -> None:
    assert read(("name", values), ("file", values), ("keep", values), form=(NAME, FILE, KEEP)) == {}
    assert problem(("to", values), form=(TO,)) == ("missing", "To")


@pytest.mark.conformance(111)
def test_a_required_field_must_be_there() -> None:
    assert problem(form=(NAME, TO)) == ("missing", "To")
    with pytest.raises(BadForm):
        read_submission(None, Form("", fields=(TO,)))
    assert read_submission(None, Form("", fields=(NAME,))) == {}


@pytest.mark.conformance(111)
@pytest.mark.parametrize("field", [FILE, FILES])
def test_values_that_were_not_offered_are_refused(field: FormField) -> None:
    assert problem((field.name, ("3",)), form=(field,)) == ("choice", field.label)


def test_a_list_of_one_choice_takes_no_labels() -> None:
    assert problem(("file", ("report.pdf",)), form=(FILE,)) == ("choice", "File")


def test_a_list_of_several_choices_takes_labels_that_are_clear() -> None:
    options = [
        FormOption(*each) for each in (("1", "a"), ("2", "b\x07"), ("3", "c"), ("4", "c"), ("a", "5"))
    ]
    closed = FormField("f", FieldKind.CHOICES, "F", options=tuple(options))
    assert read(("f", ("b\ufffd", "5", "3")), form=(closed,)) == {"f": ("2", "a", "3")}
    assert read(("f", ("a",)), form=(closed,)) == {"f": ("a",)}, "values come first"
    assert problem(("f", ("c",)), form=(closed,)) == ("choice", "F")
    opened = FormField("f", FieldKind.CHOICES, "F", options=tuple(options), is_open=True)
    assert read(("f", ("b\ufffd", "c", "d")), form=(opened,)) == {"f": ("2", "c", "d")}


def test_what_clients_take_for_markup_is_shown_as_it_is() -> None:
    fixed = FormField("", FieldKind.FIXED, "", values=("a & b <c>",))
    named = FormField("name", FieldKind.TEXT, "a & b <c>", values=("a & b <c>",))
    form = Form("a & b", "R&D <1>.txt", (fixed, named))
    shown = {
        "": ["R＆D ‹1>.txt", "a ＆ b ‹c>"],
        "https://gajim.org": ["R&amp;D &lt;1&gt;.txt", "a &amp; b &lt;c&gt;"],
        "https://conversejs.org": ["R&D <1>.txt", "a & b <c>"],
    }
    for software, texts in shown.items():
        x = write_form(form, software)
        values = [each.text for each in x.iter(f"{{{DATA_FORM}}}value")]
        assert [x.findtext(f"{{{DATA_FORM}}}instructions"), *values] == [*texts, "a & b <c>"]
        assert (x.findtext(f"{{{DATA_FORM}}}title"), x[-1].get("label")) == ("a & b", "a & b <c>")


def test_fields_have_names_that_clients_give_no_meaning_to() -> None:
    form = Form("", fields=(FormField("url", FieldKind.TEXT, "Link"), NAME))
    assert [each.get("var") for each in write_form(form)] == ["url-", "name"]
    assert read_submission(submitted(("url-", ("https://a",)), ("name", ("n",))), form) == {
        "url": ("https://a",),
        "name": ("n",),
    }


def test_an_open_list_takes_other_values() -> None:
    field = FormField("kind", FieldKind.CHOICE, "Kind", options=OPTIONS, is_open=True)
    assert read(("kind", ("other",)), form=(field,)) == {"kind": ("other",)}


def test_an_offered_value_comes_back_as_the_form_has_it() -> None:
    field = FormField("f", FieldKind.CHOICE, "F", options=(FormOption("a\x07\r\nb", "a"),))
    assert read(("f", ("a\ufffd\nb",)), form=(field,)) == {"f": ("a\x07\r\nb",)}


@pytest.mark.conformance(111)
@pytest.mark.parametrize("field", [NAME, TO, FILE, KEEP])
def test_a_field_for_one_value_takes_one(field: FormField) -> None:
    assert problem((field.name, ("1", "1")), form=(field,)) == ("value", field.label)


def test_a_field_for_one_line_takes_one() -> None:
    assert problem(("name", ("a\nb",)), form=(NAME,)) == ("value", "Name")


def test_lines_in_one_value_are_several() -> None:
    assert read(("lines", ("one\ntwo", "three")), form=(LINES,)) == {"lines": ("one", "two", "three")}


@pytest.mark.parametrize(
    ("said", "meant"), [("1", "true"), ("true", "true"), (" 0 ", "false"), ("false", "false")]
)
def test_switches_have_one_spelling(said: str, meant: str) -> None:
    assert read(("keep", (said,)), form=(KEEP,)) == {"keep": (meant,)}


@pytest.mark.parametrize("said", ["yes", "TRUE", "2", "on"])
def test_a_switch_is_on_or_off(said: str) -> None:
    assert problem(("keep", (said,)), form=(KEEP,)) == ("value", "Keep it")


@pytest.mark.parametrize("kind", ["form", "result", "cancel", ""])
def test_only_submissions_are_read(kind: str) -> None:
    with pytest.raises(BadForm):
        read_submission(submitted(("name", ("a",)), kind=kind), Form("", fields=(NAME,)))


def test_a_field_that_comes_twice_is_refused() -> None:
    assert problem(("name", ("a",)), ("name", ("b",)), form=(NAME,)) == ("form", "")


@pytest.mark.conformance(111)
def test_a_thousand_fields_are_looked_through_and_more_are_not() -> None:
    many = [(f"f{number}", ("x",)) for number in range(MOST_FIELDS - 1)]
    assert read(*many, ("name", ("a",)), form=(NAME,)) == {"name": ("a",)}
    assert problem(*many, ("name", ("a",)), ("more", ("x",)), form=(NAME,)) == ("size", "")


@pytest.mark.conformance(111)
def test_values_and_bytes_are_bounded() -> None:
    assert problem(("lines", ("",) * (MOST_VALUES + 1)), form=(LINES,)) == ("size", "")
    assert problem(("lines", ("\n" * MOST_VALUES + "x",)), form=(LINES,)) == ("size", "")
    assert problem(("name", ("ä" * (MOST_BYTES // 2),)), form=(NAME,)) == ("size", "")
    assert problem(("n" * MOST_BYTES, ("ä",)), form=(NAME,)) == ("size", "")
    long = "x" * (MOST_BYTES - 4)
    assert read(("name", (long,)), form=(NAME,)) == {"name": (long,)}


def test_elements_of_other_namespaces_are_no_fields() -> None:
    x = fromstring(
        f"<x xmlns='{DATA_FORM}' type='submit'><field xmlns='urn:x' var='name'><value>a</value></field>"
        "<field var='name'><value xmlns='urn:x'>b</value></field></x>"
    )
    assert read_submission(x, Form("", fields=(NAME,))) == {}
