"""Data forms (XEP-0004): writing them, and reading what was filled in against the form that was shown.

A submission is a peer's: it may name fields that were never asked for, and values that were never offered.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import BadForm
from filebot.model import FieldKind, Form, FormField, Submission, Table
from filebot.protocol.form_quirks import sent_name, shown_as_it_is
from filebot.protocol.xml import named, sayable

DATA_FORM: Final = "jabber:x:data"
OPEN_LIST: Final = "http://jabber.org/protocol/xdata-validate"  # XEP-0122

MOST_FIELDS: Final = 1000
MOST_VALUES: Final = 10_000
MOST_BYTES: Final = 1_000_000
"""Bounds on what is filled in, with the names of the fields. Each line counts as a value."""

_TRUE: Final = frozenset({"1", "true"})
_FALSE: Final = frozenset({"0", "false"})
_SEVERAL: Final = frozenset({FieldKind.TEXTS, FieldKind.CHOICES})
_LISTS: Final = frozenset({FieldKind.CHOICE, FieldKind.CHOICES})


# --- writing ----------------------------------------------------------------------------------------


def write_form(form: Form, software: str = "") -> Element:
    """Return a form to fill in, for a client with this node of caps."""
    x = _form("form", form.title, shown_as_it_is(form.instructions, software))
    for each in form.fields:
        x.append(_field(each, software))
    return x


def write_table(table: Table) -> Element:
    """Return results in rows (section 3.4)."""
    x = _form("result", table.title)
    reported = SubElement(x, f"{{{DATA_FORM}}}reported")
    for column in table.columns:
        about = {"var": column.name, "label": sayable(column.label), "type": column.kind.value}
        SubElement(reported, f"{{{DATA_FORM}}}field", about)
    for row in table.rows:
        item = SubElement(x, f"{{{DATA_FORM}}}item")
        for column, value in zip(table.columns, row, strict=True):
            field = SubElement(item, f"{{{DATA_FORM}}}field", {"var": column.name})
            _add(field, "value", value)
    return x


def table_text(table: Table) -> str:
    """Return results as text, a line for each row."""
    rows = (tuple(column.label for column in table.columns), *table.rows)
    lines = (" | ".join(" ".join(value.split()) for value in row) for row in rows)
    return "\n".join(filter(None, (table.title, *lines)))


def _form(kind: str, title: str, instructions: str = "") -> Element:
    x = Element(f"{{{DATA_FORM}}}x", {"type": kind})
    if title:
        _add(x, "title", title)
    # COMPAT(Converse.js, 14): shows the first of these elements alone, so this one has all the lines. By
    # section 3.1 each line should have an element of its own.
    if lines := "\n".join(filter(str.strip, instructions.splitlines())):
        _add(x, "instructions", lines)
    return x


def _field(field: FormField, software: str) -> Element:
    about = {"type": field.kind.value}
    if field.kind is not FieldKind.FIXED:
        about["var"] = sent_name(field.name)
    if field.label:
        about["label"] = sayable(field.label)
    element = Element(f"{{{DATA_FORM}}}field", about)
    if field.description:
        _add(element, "desc", field.description)
    if field.is_required:
        SubElement(element, f"{{{DATA_FORM}}}required")
    if field.is_open and field.kind in _LISTS:
        validate = SubElement(element, f"{{{OPEN_LIST}}}validate", {"datatype": "xs:string"})
        SubElement(validate, f"{{{OPEN_LIST}}}open")
    for value in field.values:
        _add(element, "value", shown_as_it_is(value, software) if field.kind is FieldKind.FIXED else value)
    for option in field.options:
        choice = SubElement(element, f"{{{DATA_FORM}}}option", {"label": sayable(option.label)})
        _add(choice, "value", option.value)
    return element


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{DATA_FORM}}}{name}").text = sayable(text)


# --- reading ----------------------------------------------------------------------------------------


def read_submission(x: Element | None, form: Form) -> Submission:
    """Return what was filled in into ``form``; ``x`` is None if nothing was sent. Raises BadForm.

    Fields that the form does not have are left out, as are ``FORM_TYPE`` and text to read.
    """
    sent = {} if x is None else _sent_values(x)
    asked = [each for each in form.fields if each.kind is not FieldKind.FIXED]
    read = ((each, _values(each, sent.get(sent_name(each.name), ()))) for each in asked)
    return {field.name: values for field, values in read if values}


def filled_in(x: Element | None, form: Form) -> Form:
    """Return ``form`` with those values that were sent and are right, to be shown once more.

    Raises BadForm for what :func:`read_submission` refuses as a whole.
    """
    sent = {} if x is None else _sent_values(x)
    return replace(form, fields=tuple(_filled_in(each, sent) for each in form.fields))


def _filled_in(field: FormField, sent: Mapping[str, tuple[str, ...]]) -> FormField:
    values = () if field.kind is FieldKind.FIXED else sent.get(sent_name(field.name), ())
    with suppress(BadForm):
        return replace(field, values=_values(field, values) or field.values)
    return field


def _sent_values(x: Element) -> Mapping[str, tuple[str, ...]]:
    if x.get("type") != "submit":
        raise BadForm(problem="form")
    fields = list(islice(named(x, DATA_FORM, "field"), MOST_FIELDS + 1))
    if len(fields) > MOST_FIELDS:
        raise BadForm(problem="size")
    sent: dict[str, tuple[str, ...]] = {}
    values_left, bytes_left = MOST_VALUES, MOST_BYTES
    for field in fields:
        name = field.get("var", "")
        values = tuple(islice(_texts(field), values_left + 1))
        values_left -= sum(1 + each.count("\n") for each in values)
        bytes_left -= len(name.encode()) + sum(len(each.encode()) for each in values)
        if values_left < 0 or bytes_left < 0:
            raise BadForm(problem="size")
        if name and name in sent:
            raise BadForm(problem="form")  # which of them would count?
        sent[name] = values
    return sent


def _texts(field: Element) -> Iterator[str]:
    return (each.text or "" for each in named(field, DATA_FORM, "value"))


def _values(field: FormField, sent: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a field; none if it was left empty, which a required one must not be."""
    if not any(sent):
        if field.is_required:
            raise BadForm(problem="missing", field=field.label or field.name)
        return ()
    if field.kind not in _SEVERAL and len(sent) > 1:
        raise BadForm(problem="value", field=field.label or field.name)
    if field.kind in _LISTS:
        return _chosen(field, sent)
    if field.kind is FieldKind.SWITCH:
        return (_switched(field, sent[0].strip()),)
    lines = tuple(line for value in sent for line in value.split("\n"))
    if field.kind is FieldKind.TEXTS:
        # COMPAT(slixmpp, 1.17): sends several lines in one value; each has its own (section 3.3).
        return lines
    if len(lines) > 1:
        raise BadForm(problem="value", field=field.label or field.name)
    return lines


def _chosen(field: FormField, sent: tuple[str, ...]) -> tuple[str, ...]:
    # Peers saw them as they read them: XML has no control characters, and one kind of line end (XML 1.0
    # section 2.11).
    offered = _values_by_label(field) if field.kind is FieldKind.CHOICES else {}
    offered |= {_as_read(each.value): each.value for each in field.options}
    chosen = dict.fromkeys(offered.get(each, each) for each in sent if each in offered or each)
    if not field.is_open and not chosen.keys() <= {each.value for each in field.options}:
        raise BadForm(problem="choice", field=field.label or field.name)
    return tuple(chosen)


def _values_by_label(field: FormField) -> dict[str, str]:
    """Return the values of the options, by those labels that only one option has."""
    # COMPAT(Gajim, 1.7): submits the labels of what is chosen in a list with several choices.
    values = defaultdict[str, list[str]](list)
    for each in field.options:
        values[_as_read(each.label)].append(each.value)
    return {label: found[0] for label, found in values.items() if len(found) == 1}


def _as_read(text: str) -> str:
    return sayable(text).replace("\r\n", "\n").replace("\r", "\n")


def _switched(field: FormField, value: str) -> str:
    if value not in _TRUE | _FALSE:
        raise BadForm(problem="value", field=field.label or field.name)
    return "true" if value in _TRUE else "false"
