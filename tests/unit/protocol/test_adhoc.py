"""Ad-hoc commands (XEP-0050): requests that are read, and answers that are written."""

from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.model import CommandItem, FieldKind, Form, FormAction, FormField, FormStep, Severity, Table
from filebot.protocol.adhoc import (
    BAD_LOCALE,
    BAD_PAYLOAD,
    BAD_SESSION_ID,
    COMMANDS,
    MALFORMED_ACTION,
    NO_SUCH_COMMAND,
    CommandRefused,
    Status,
    read_command,
    write_canceled,
    write_command_info,
    write_items,
    write_list_info,
    write_step,
)
from filebot.protocol.stanza_error import StanzaError

FORM = Form("Send", fields=(FormField("to", FieldKind.ADDRESS, "To"),))


def command(attributes: str, inside: str = "") -> Element:
    return fromstring(f"<command xmlns='{COMMANDS}' {attributes}>{inside}</command>")


def refusal(attributes: str, inside: str = "") -> StanzaError:
    with pytest.raises(CommandRefused) as refused:
        read_command(command(attributes, inside))
    return refused.value.error


def names(element: Element) -> list[str]:
    return [each.tag.partition("}")[2] for each in element]


@pytest.mark.conformance(103)
def test_execute_is_what_a_request_without_an_action_means() -> None:
    assert read_command(command("node='ls'")).action is None
    assert read_command(command("node='ls' action='execute'")).action is None


@pytest.mark.parametrize("action", FormAction)
def test_actions_are_read(action: FormAction) -> None:
    request = read_command(command(f"node='ls' sessionid='s' action='{action.value}' xml:lang='de'"))
    assert (request.node, request.session_id, request.action) == ("ls", "s", action)
    assert (request.language, request.form) == ("de", None)


def test_the_form_is_left_for_later() -> None:
    form = read_command(command("node='ls'", "<x xmlns='jabber:x:data' type='anything'/>")).form
    assert form is not None
    assert form.get("type") == "anything"


@pytest.mark.conformance(108)
@pytest.mark.parametrize(
    ("attributes", "inside", "error"),
    [
        ("node='ls' action='explode'", "", MALFORMED_ACTION),
        ("node='ls' action=''", "", MALFORMED_ACTION),
        ("node='ls' xml:lang='english please'", "", BAD_LOCALE),
        (f"node='ls' xml:lang='{'e' * 36}'", "", BAD_LOCALE),
        (f"node='ls' sessionid='{'s' * 257}'", "", BAD_SESSION_ID),
        (f"node='{'n' * 257}'", "", NO_SUCH_COMMAND),
        ("", "", StanzaError("bad-request", "modify")),
        ("node='ls'", "<x xmlns='jabber:x:data'/><x xmlns='jabber:x:data'/>", BAD_PAYLOAD),
    ],
)
def test_bad_requests_have_their_errors(attributes: str, inside: str, error: StanzaError) -> None:
    assert refusal(attributes, inside) == error


@pytest.mark.conformance(104)
def test_a_form_says_how_to_go_on() -> None:
    step = FormStep(
        "Whom?", Severity.WARNING, FORM, actions=(FormAction.NEXT, FormAction.PREVIOUS, FormAction.CANCEL)
    )
    answer = write_step("send", "s1", step, Status.EXECUTING)
    assert answer.attrib == {"node": "send", "sessionid": "s1", "status": "executing"}
    actions, note, x = answer
    assert (actions.attrib, names(actions)) == ({"execute": "next"}, ["next", "prev"])
    assert (note.attrib, note.text) == ({"type": "warn"}, "Whom?")
    assert x.get("type") == "form"
    assert [each.text for each in x.iter("{jabber:x:data}instructions")][:1] == ["Whom?"]


def test_a_step_without_a_form_has_one_to_go_on_from() -> None:
    step = FormStep("This takes longer.", actions=(FormAction.NEXT,))
    actions, _, x = write_step("send", "s1", step, Status.EXECUTING)
    assert (actions.get("execute"), x.get("type")) == ("next", "form")
    assert x.findtext("{jabber:x:data}instructions") == "This takes longer."
    assert [each.get("type") for each in x.iter("{jabber:x:data}field")] == ["fixed", "hidden"]


def test_a_result_has_a_note_and_a_table_and_no_actions() -> None:
    step = FormStep("Done\x00.", table=Table("Files", (), ()), actions=(FormAction.NEXT,))
    answer = write_step("ls", "s1", step, Status.COMPLETED)
    assert (answer.get("status"), names(answer)) == ("completed", ["note", "x"])
    assert (answer[0].get("type"), answer[0].text, answer[1].get("type")) == (
        "info",
        "Done\ufffd.",
        "result",
    )


def test_a_form_without_actions_can_be_completed() -> None:
    actions, _ = write_step("ls", "s1", FormStep(form=FORM), Status.EXECUTING)
    assert (actions.get("execute"), names(actions)) == ("complete", ["complete"])


def test_a_cancelled_command_is_empty() -> None:
    answer = write_canceled("ls", "s1")
    assert (answer.attrib, len(answer)) == ({"node": "ls", "sessionid": "s1", "status": "canceled"}, 0)


def test_commands_are_listed_and_described() -> None:
    item = CommandItem("ls", "List\x00 files")
    [listed] = write_items("bot@example.org/filebot", [item])
    assert listed.attrib == {"jid": "bot@example.org/filebot", "node": "ls", "name": "List\ufffd files"}
    identity, *features = write_command_info(item)
    assert identity.attrib == {"category": "automation", "type": "command-node", "name": "List\ufffd files"}
    assert [each.get("var") for each in features] == [COMMANDS, "jabber:x:data"]
    identity, *features = write_list_info("Filebot")
    assert identity.attrib == {"category": "automation", "type": "command-list", "name": "Filebot"}
    assert [each.get("var") for each in features] == [COMMANDS]
