"""Ad-hoc commands (XEP-0050): reading ``<command/>``, and writing the answers to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, unique
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import PeerProtocolError
from filebot.model import CommandItem, FieldKind, Form, FormAction, FormField, FormStep
from filebot.protocol.data_form import DATA_FORM, MOST_FIELDS, write_form, write_table
from filebot.protocol.disco import INFO, ITEMS
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.xml import named, sayable

COMMANDS: Final = "http://jabber.org/protocol/commands"
"""Namespace, feature, and the node of the list."""

LONGEST_NODE: Final = 256
_LONGEST_SESSION_ID: Final = 256
_NUMBER: Final = "_form"
"""Hidden field with the number of a form; no parameter has a name like this."""
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_LANGUAGE_TAG: Final = re.compile(r"(?:[A-Za-z0-9-]{1,35})?")  # RFC 5646 section 4.4.1


def _error(condition: str, kind: str, specific: str) -> StanzaError:
    return StanzaError(condition, kind, f"{{{COMMANDS}}}{specific}")


# Section 4.4.
MALFORMED_ACTION: Final = _error("bad-request", "modify", "malformed-action")
"""No such action is known."""
BAD_ACTION: Final = _error("bad-request", "modify", "bad-action")
"""The action is not possible now."""
BAD_LOCALE: Final = _error("bad-request", "modify", "bad-locale")
BAD_PAYLOAD: Final = _error("bad-request", "modify", "bad-payload")
BAD_SESSION_ID: Final = _error("bad-request", "modify", "bad-sessionid")
SESSION_EXPIRED: Final = _error("not-allowed", "cancel", "session-expired")
FORBIDDEN: Final = StanzaError("forbidden")
NO_SUCH_COMMAND: Final = StanzaError("item-not-found")


class CommandRefused(PeerProtocolError):
    """A request that is not carried out; ``error`` is what to answer."""

    def __init__(self, error: StanzaError) -> None:
        super().__init__(f"{error.condition} {error.specific}")
        self.error = error


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """Request about a command."""

    node: str
    session_id: str
    """Empty to begin the command."""
    action: FormAction | None
    """None for ``execute``, also where the action is missing (section 3.3)."""
    form: Element | None
    """Form that was filled in, not read yet."""
    form_number: str | None
    """Number that the form was shown with; None if the client does not return it."""
    language: str | None


@unique
class Status(Enum):
    """State of a command (section 4.2)."""

    EXECUTING = "executing"
    COMPLETED = "completed"
    CANCELED = "canceled"


_NOTHING_TO_FILL_IN: Final = Form("", fields=(FormField("", FieldKind.FIXED, "", values=("…",)),))
_ACTIONS: Final = {each.value: each for each in FormAction} | {"execute": None}


def read_command(command: Element) -> CommandRequest:
    """Read the payload of an iq-set. Raises CommandRefused."""
    node, session_id = command.get("node", ""), command.get("sessionid", "")
    if not 0 < len(node) <= LONGEST_NODE:
        raise CommandRefused(NO_SUCH_COMMAND if node else StanzaError("bad-request", "modify"))
    if len(session_id) > _LONGEST_SESSION_ID:
        raise CommandRefused(BAD_SESSION_ID)
    action = command.get("action", "execute")
    if action not in _ACTIONS:
        raise CommandRefused(MALFORMED_ACTION)
    language = command.get(_LANGUAGE, "").strip()
    if not _LANGUAGE_TAG.fullmatch(language):
        raise CommandRefused(BAD_LOCALE)
    forms = list(named(command, DATA_FORM, "x"))
    if len(forms) > 1:
        raise CommandRefused(BAD_PAYLOAD)
    form = forms[0] if forms else None
    return CommandRequest(node, session_id, _ACTIONS[action], form, _number_of(form), language or None)


def _number_of(form: Element | None) -> str | None:
    fields = () if form is None else islice(named(form, DATA_FORM, "field"), MOST_FIELDS)
    found = (each for each in fields if each.get("var") == _NUMBER)
    return next((each.findtext(f"{{{DATA_FORM}}}value") for each in found), None)


def write_step(
    node: str, session_id: str, step: FormStep, status: Status, software: str = "", *, number: int = 0
) -> Element:
    """Return the answer with a step: a form to fill in, or the result.

    ``software`` is the node of the client's caps. ``number`` comes back with the form, and tells to which
    of the session's forms an answer belongs.
    """
    command = _command(node, session_id, status)
    if status is Status.EXECUTING:
        # COMPAT(Converse.js, 14): shows no buttons without this, not even the one of section 3.4.
        actions = [each for each in step.actions if each is not FormAction.CANCEL] or [FormAction.COMPLETE]
        offered = SubElement(command, f"{{{COMMANDS}}}actions", {"execute": actions[0].value})
        for each in sorted(actions, key=lambda each: each.value):
            SubElement(offered, f"{{{COMMANDS}}}{each.value}")
    if step.text:
        note = SubElement(command, f"{{{COMMANDS}}}note", {"type": step.severity.value})
        note.text = sayable(step.text)
    if status is Status.EXECUTING:
        form = write_form(_shown_form(step), software)
        hidden = SubElement(form, f"{{{DATA_FORM}}}field", {"type": "hidden", "var": _NUMBER})
        SubElement(hidden, f"{{{DATA_FORM}}}value").text = str(number)
        command.append(form)
    elif step.table is not None:
        command.append(write_table(step.table))
    return command


def _shown_form(step: FormStep) -> Form:
    """Return the form of a step, with the note in its instructions."""
    # COMPAT(Converse.js, 14): shows only the notes of the first step and of the result.
    # COMPAT(Gajim, 1.7): a step without a form can be neither completed nor cancelled.
    form = step.form or _NOTHING_TO_FILL_IN
    return replace(form, instructions="\n".join(filter(None, (step.text, form.instructions))))


def write_canceled(node: str, session_id: str) -> Element:
    """Return the answer to ``cancel``."""
    return _command(node, session_id, Status.CANCELED)


def _command(node: str, session_id: str, status: Status) -> Element:
    about = {"node": node, "sessionid": session_id, "status": status.value}
    return Element(f"{{{COMMANDS}}}command", about)


# --- discovery --------------------------------------------------------------------------------------


def write_items(jid: str, items: Sequence[CommandItem]) -> Element:
    """Return the list of commands (section 2.2); ``jid`` is the address by which the asker has them."""
    query = Element(f"{{{ITEMS}}}query", {"node": COMMANDS})
    for each in items:
        SubElement(query, f"{{{ITEMS}}}item", {"jid": jid, "node": each.node, "name": sayable(each.name)})
    return query


def write_list_info(name: str) -> Element:
    """Return what the node of the list is (section 2.1)."""
    return _info(COMMANDS, "command-list", name, COMMANDS)


def write_command_info(item: CommandItem) -> Element:
    """Return what the node of a command is (section 2.3)."""
    return _info(item.node, "command-node", item.name, COMMANDS, DATA_FORM)


def _info(node: str, kind: str, name: str, *features: str) -> Element:
    query = Element(f"{{{INFO}}}query", {"node": node})
    about = {"category": "automation", "type": kind, "name": sayable(name)}
    SubElement(query, f"{{{INFO}}}identity", about)
    for each in features:
        SubElement(query, f"{{{INFO}}}feature", {"var": each})
    return query
