"""Ad-hoc commands with scripted clients: who may, in which order, how long, and what is answered."""

import asyncio
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest

from filebot.errors import NotAllowed, TooManyRequests
from filebot.model import Address, AddressKind, FieldKind, Form, FormField, FormStep, Occupant, Table
from filebot.protocol.adhoc import (
    BAD_ACTION,
    BAD_PAYLOAD,
    BAD_SESSION_ID,
    COMMANDS,
    MALFORMED_ACTION,
    SESSION_EXPIRED,
)
from filebot.protocol.adhoc_sessions import BUSY, UNDER_WAY, CommandLimits
from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.commands.runner import STEP_LIMIT_S
from filebot.xmpp.handlers import COMMAND_AS_MESSAGE, COMMAND_LATE
from tests.support.scripted_commands import FAILED, TABLE, forever
from tests.support.virtual_time import in_virtual_time
from tests.unit.xmpp.commands.command_lab import ANNA, ROOM, lab, note_of

LAPTOP = "anna@example.org/laptop"
BOB = "bob@example.org/phone"
EVE = "eve@example.org/phone"
IN_ROOM = f"{ROOM}/Anna"


def actions_of(command: Element) -> list[str]:
    return [each.tag.partition("}")[2] for each in command.iterfind(f"{{{COMMANDS}}}actions/*")]


def form_of(command: Element) -> str | None:
    return command.findtext(f"{{{DATA_FORM}}}x/{{{DATA_FORM}}}title")


def values_of(command: Element) -> dict[str, list[str]]:
    """Return what is filled in, by the names of the fields."""
    return {
        each.get("var", ""): [value.text or "" for value in each.findall(f"{{{DATA_FORM}}}value")]
        for each in command.iter(f"{{{DATA_FORM}}}field")
    }


def number_of(command: Element) -> dict[str, str]:
    """Return the hidden field of a form, which clients send back."""
    fields = command.iter(f"{{{DATA_FORM}}}field")
    [hidden] = [each for each in fields if each.get("type") == "hidden"]
    return {hidden.get("var", ""): hidden.findtext(f"{{{DATA_FORM}}}value", "")}


# --- the usual course -------------------------------------------------------------------------------


@pytest.mark.conformance(103, 104)
@in_virtual_time
async def test_a_command_is_filled_in_step_by_step() -> None:
    async with lab() as bot:
        first = await bot.result_of(bot.command("send"))
        session = first.get("sessionid", "")
        assert (first.get("status"), form_of(first), actions_of(first)) == (
            "executing",
            "Send a file",
            ["next"],
        )
        assert len(session) == 32
        asked = bot.command("send", session, "next", {"file": "2", "copy": "1"})
        second = await bot.result_of(asked)
        assert (form_of(second), actions_of(second)) == ("Send it?", ["complete", "prev"])
        done = await bot.result_of(bot.command("send", session, "complete"))
        assert (done.get("status"), note_of(done)) == ("completed", "Sent.")
        assert done.find(f"{{{DATA_FORM}}}x/{{{DATA_FORM}}}reported") is not None
        assert [values for _, values in bot.commands.carried_out] == [
            {"file": ("2",), "copy": ("true",)},
            {},
        ]


@in_virtual_time
async def test_a_command_without_questions_is_done_at_once_and_leaves_nothing() -> None:
    async with lab() as bot:
        for _ in range(1000):
            done = await bot.result_of(bot.command("list"))
            assert done.get("status") == "completed"
        assert len(bot.service._runner._sessions) == 0


@pytest.mark.conformance(104)
@in_virtual_time
async def test_one_can_go_back_but_not_from_the_first_step() -> None:
    async with lab() as bot:
        session = await bot.begun()
        assert await bot.error_of(bot.command("send", session, "prev")) == BAD_ACTION
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}))
        back = await bot.result_of(bot.command("send", session, "prev"))
        assert form_of(back) == "Send a file"
        assert await bot.error_of(bot.command("send", session, "prev")) == BAD_ACTION


@pytest.mark.conformance(103)
@in_virtual_time
async def test_execute_and_no_action_at_all_are_the_usual_action() -> None:
    async with lab() as bot:
        session = await bot.begun()
        second = await bot.result_of(bot.command("send", session, "", {"file": "1"}))
        assert form_of(second) == "Send it?"
        done = await bot.result_of(bot.command("send", session, "execute"))
        assert done.get("status") == "completed"


@in_virtual_time
async def test_complete_is_not_possible_where_another_form_follows() -> None:
    async with lab() as bot:
        session = await bot.begun()
        assert await bot.error_of(bot.command("send", session, "complete", {"file": "1"})) == BAD_ACTION
        assert bot.commands.carried_out == []


@in_virtual_time
async def test_cancel_ends_a_session() -> None:
    async with lab() as bot:
        session = await bot.begun()
        assert (await bot.result_of(bot.command("send", session, "cancel"))).get("status") == "canceled"
        assert await bot.error_of(bot.command("send", session, "next")) == SESSION_EXPIRED


@in_virtual_time
async def test_a_component_answers_from_the_address_that_was_asked() -> None:
    async with lab(component=True) as bot:
        payload = f"<command xmlns='{COMMANDS}' node='list'/>"
        answer = await bot.answer_to(bot.request(payload, to="drop@files.example.org/x"))
        assert (answer.get("from"), answer.get("to")) == ("drop@files.example.org/x", ANNA)
        assert bot.commands.senders[0].address.own == "drop@files.example.org"


@in_virtual_time
async def test_the_language_is_that_of_the_command_or_else_of_the_iq() -> None:
    async with lab() as bot:
        await bot.result_of(bot.command("list", more=" xml:lang='de'"))
        await bot.result_of(bot.command("list"))
        assert bot.commands.languages == ["de", None]


# --- bad input --------------------------------------------------------------------------------------


@pytest.mark.conformance(108, 111)
@pytest.mark.parametrize(
    "fields",
    [
        {f"f{number}": "x" for number in range(1001)},
        {"file": "1", "note": "x" * 1_000_001},
    ],
    ids=["1001 fields", "too large"],
)
@in_virtual_time
async def test_a_form_that_cannot_be_taken_is_refused_and_may_be_mended(
    fields: dict[str, str | tuple[str, ...]],
) -> None:
    async with lab() as bot:
        session = await bot.begun()
        refused = await bot.error_of(bot.command("send", session, "next", fields))
        assert refused == replace(BAD_PAYLOAD, text="BadForm in words")
        assert bot.commands.carried_out == []
        second = await bot.result_of(bot.command("send", session, "next", {"file": "1"}))
        assert form_of(second) == "Send it?"


@pytest.mark.parametrize(
    "fields",
    [{}, {"file": "3"}, {"file": "a.pdf"}, {"file": ("1", "2")}, {"file": "1", "copy": "maybe"}],
    ids=["missing", "not offered", "by its label", "two", "no switch"],
)
@in_virtual_time
async def test_mistakes_in_a_form_are_told_beside_the_form_that_keeps_what_is_right(
    fields: dict[str, str | tuple[str, ...]],
) -> None:
    async with lab() as bot:
        session = await bot.begun()
        again = await bot.result_of(bot.command("send", session, "next", fields | {"note": "one"}))
        assert again.get("status") == "executing"
        assert note_of(again) == "BadForm in words"
        assert values_of(again)["note"] == ["one"]
        assert values_of(again)["file"] == (["1"] if fields.get("file") == "1" else [])
        assert bot.commands.carried_out == []
        second = await bot.result_of(bot.command("send", session, "next", {"file": "1"}))
        assert form_of(second) == "Send it?"


@in_virtual_time
async def test_a_thousand_fields_that_were_not_asked_for_do_no_harm() -> None:
    async with lab() as bot:
        session = await bot.begun()
        fields = {"file": "1"} | {f"f{number}": "x" for number in range(999)}
        await bot.result_of(bot.command("send", session, "next", fields))
        assert [values for _, values in bot.commands.carried_out] == [{"file": ("1",)}]


@pytest.mark.conformance(109)
@in_virtual_time
async def test_a_form_that_is_submitted_twice_is_carried_out_once() -> None:
    async with lab() as bot:
        session = await bot.begun()
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}))
        bot.commands.before = lambda: asyncio.sleep(5)
        once = bot.command("send", session, "complete")
        twice = bot.command("send", session, "complete")
        assert await bot.error_of(twice) == UNDER_WAY
        assert (await bot.result_of(once, 6.0)).get("status") == "completed"
        assert await bot.error_of(bot.command("send", session, "complete")) == SESSION_EXPIRED
        assert len(bot.commands.carried_out) == 2


@pytest.mark.conformance(109)
@in_virtual_time
async def test_a_form_that_comes_once_more_answers_no_question_that_was_asked_since() -> None:
    async with lab() as bot:
        first = await bot.result_of(bot.command("send"))
        session, fields = first.get("sessionid", ""), {"file": "1", **number_of(first)}
        second = await bot.result_of(bot.command("send", session, "execute", fields))
        assert form_of(second) == "Send it?"
        again = await bot.result_of(bot.command("send", session, "execute", fields))
        assert (form_of(again), number_of(again)) == ("Send it?", number_of(second))
        assert len(bot.commands.carried_out) == 1
        done = await bot.result_of(bot.command("send", session, "complete", number_of(again)))
        assert done.get("status") == "completed"


@pytest.mark.conformance(109)
@in_virtual_time
async def test_who_waits_twice_for_a_question_does_not_answer_it() -> None:
    async with lab() as bot:
        session = await bot.begun()
        bot.commands.before = lambda: asyncio.sleep(60)
        note = await bot.result_of(bot.command("send", session, "next", {"file": "1"}), 26.0)
        await asyncio.sleep(60)
        asked = await bot.result_of(bot.command("send", session, "execute", number_of(note)))
        again = await bot.result_of(bot.command("send", session, "execute", number_of(note)))
        assert (form_of(asked), form_of(again)) == ("Send it?", "Send it?")
        assert len(bot.commands.carried_out) == 1


@pytest.mark.conformance(105)
@pytest.mark.parametrize("other", [LAPTOP, BOB])
@pytest.mark.parametrize("action", ["next", "complete", "prev", "cancel", "execute"])
@in_virtual_time
async def test_nobody_else_goes_on_with_a_session(other: str, action: str) -> None:
    async with lab() as bot:
        session = await bot.begun()
        refused = bot.command("send", session, action, {"file": "1"}, sender=other)
        assert await bot.error_of(refused) == BAD_SESSION_ID
        assert bot.commands.carried_out == []
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}))


@pytest.mark.conformance(106)
@in_virtual_time
async def test_a_session_ends_after_ten_minutes() -> None:
    async with lab() as bot:
        session = await bot.begun()
        await asyncio.sleep(590)
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}))
        await asyncio.sleep(590)
        await bot.result_of(bot.command("send", session, "prev"))
        await asyncio.sleep(700)
        assert len(bot.service._runner._sessions) == 0
        assert await bot.error_of(bot.command("send", session, "next", {"file": "1"})) == SESSION_EXPIRED
        assert await bot.error_of(bot.command("send", "f" * 32, "next")) == BAD_SESSION_ID


@pytest.mark.conformance(107)
@in_virtual_time
async def test_ten_thousand_sessions_of_one_person_end_their_own() -> None:
    async with lab() as bot:
        others = await bot.begun(BOB)
        own = await bot.begun()
        names = [bot.command("send", sender=f"anna@example.org/{number}") for number in range(10_000)]
        await bot.answer_to(names[-1])
        assert len(bot.service._runner._sessions) <= 9
        assert await bot.error_of(bot.command("send", own, "next", {"file": "1"})) == SESSION_EXPIRED
        await bot.result_of(bot.command("send", others, "next", {"file": "1"}, sender=BOB))
        assert {*names} <= {each.get("id") for each in bot.said}


@pytest.mark.conformance(108)
@pytest.mark.parametrize("action", ["next", "prev", "complete", "cancel"])
@in_virtual_time
async def test_a_command_begins_with_execute(action: str) -> None:
    async with lab() as bot:
        assert await bot.error_of(bot.command("send", action=action)) == BAD_ACTION


@pytest.mark.conformance(108)
@in_virtual_time
async def test_other_requests_have_their_errors() -> None:
    async with lab() as bot:
        assert await bot.error_of(bot.command("send", action="explode")) == MALFORMED_ACTION
        unknown = await bot.error_of(bot.command("rm"))
        assert unknown == StanzaError("item-not-found", text="UnknownCommand in words")
        bot.commands.denied.add("anna@example.org")
        denied = await bot.error_of(bot.command("send"))
        assert denied == StanzaError("forbidden", text="NotAllowed in words")
        bot.handlers.commands = None
        assert await bot.error_of(bot.command("send")) == StanzaError("feature-not-implemented")


@pytest.mark.parametrize("sender", [EVE, "anna@example.org", "bot@example.org/other"])
@in_virtual_time
async def test_people_who_are_not_served_are_refused(sender: str) -> None:
    async with lab() as bot:
        assert (await bot.error_of(bot.command("send", sender=sender))).condition == "forbidden"
        assert bot.commands.senders == []


@pytest.mark.conformance(108)
@in_virtual_time
async def test_too_many_requests_are_told_to_wait() -> None:
    async def busy() -> None:
        raise TooManyRequests

    async with lab() as bot:
        bot.commands.before = busy
        refused = await bot.error_of(bot.command("list"))
        assert refused == replace(BUSY, text="TooManyRequests in words")


@in_virtual_time
async def test_a_command_that_fails_midway_says_so_and_is_over() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with lab() as bot:
        session = await bot.begun()
        bot.commands.before = fail
        failed = await bot.error_of(bot.command("send", session, "next", {"file": "1"}))
        assert failed == StanzaError("internal-server-error", text="incident")
        assert await bot.error_of(bot.command("send", session, "next", {"file": "1"})) == SESSION_EXPIRED


@in_virtual_time
async def test_a_failure_in_words_is_a_note() -> None:
    async with lab() as bot:
        bot.commands.result = FAILED
        done = await bot.result_of(bot.command("list"))
        note = done.find(f"{{{COMMANDS}}}note")
        assert note is not None
        assert (note.get("type"), note.text) == ("error", "It failed.")


# --- rooms ------------------------------------------------------------------------------------------


@pytest.mark.conformance(93, 105)
@in_virtual_time
async def test_an_occupant_is_who_the_room_says_at_each_step() -> None:
    async with lab() as bot:
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")
        session = await bot.begun(IN_ROOM)
        assert bot.commands.senders[0].room == ROOM
        assert bot.commands.senders[0].address == Address(
            IN_ROOM, AddressKind.ROOM_PRIVATE, "anna@example.org"
        )
        # Somebody else has the nick now.
        bot.rooms.occupants["Anna"] = Occupant("bob@example.org", f"{ROOM}/id2")
        refused = bot.command("send", session, "next", {"file": "1"}, sender=IN_ROOM)
        assert await bot.error_of(refused) == BAD_SESSION_ID
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}, sender=IN_ROOM))


@pytest.mark.conformance(105)
@pytest.mark.parametrize("fails", [False, True])
@in_virtual_time
async def test_a_later_owner_of_the_nick_has_no_answer(fails: bool) -> None:
    async with lab() as bot:
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")

        async def change() -> None:
            bot.rooms.occupants["Anna"] = Occupant("bob@example.org", f"{ROOM}/id2")
            if fails:
                raise ZeroDivisionError

        bot.commands.before = change
        asked = bot.command("list", sender=IN_ROOM)
        await asyncio.sleep(60)
        assert bot.commands.senders
        assert not bot.answers_to(asked)
        assert len(bot.service._runner._sessions) == 0


@in_virtual_time
async def test_an_occupant_of_whom_only_the_nick_is_known_is_refused() -> None:
    async with lab() as bot:
        assert (await bot.error_of(bot.command("send", sender=IN_ROOM))).condition == "forbidden"
        bot.rooms.occupants["Anna"] = Occupant(None, f"{ROOM}/id1")
        await bot.begun(IN_ROOM)


@pytest.mark.conformance(94)
@in_virtual_time
async def test_an_occupant_who_lost_their_rights_meanwhile_is_refused() -> None:
    async with lab() as bot:
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")
        session = await bot.begun(IN_ROOM)

        async def denied() -> None:
            raise NotAllowed(reason="room")

        bot.commands.before = denied
        refused = bot.command("send", session, "next", {"file": "1"}, sender=IN_ROOM)
        assert (await bot.error_of(refused)).condition == "forbidden"


@in_virtual_time
async def test_who_is_not_served_any_more_cannot_go_on() -> None:
    async with lab() as bot:
        session = await bot.begun()
        bot.handlers.is_served = lambda _: False
        refused = bot.command("send", session, "next", {"file": "1"})
        assert (await bot.error_of(refused)).condition == "forbidden"


# --- steps that take long ---------------------------------------------------------------------------


@pytest.mark.conformance(110)
@in_virtual_time
async def test_a_long_step_is_answered_in_time_and_its_result_is_a_message() -> None:
    async with lab() as bot:
        bot.commands.before = lambda: asyncio.sleep(60)
        late = await bot.result_of(bot.command("list"), 25.2)
        assert (late.get("status"), note_of(late), actions_of(late)) == (
            "executing",
            COMMAND_LATE,
            ["next"],
        )
        # Nobody else waits for it.
        bot.commands.before = lambda: asyncio.sleep(0)
        await bot.result_of(bot.command("list", sender=BOB))
        assert bot.messages == []
        await asyncio.sleep(50)
        text = "Sent.\n\nFiles\nName | Size\na.pdf | 1\nb.pdf | 2"
        assert bot.messages == [(Address(ANNA), text)]
        done = await bot.result_of(bot.command("list", late.get("sessionid", ""), "next"))
        assert (done.get("status"), note_of(done)) == ("completed", "Sent.")


@pytest.mark.conformance(110)
@in_virtual_time
async def test_a_client_that_waits_on_has_the_result_itself() -> None:
    async with lab() as bot:
        bot.commands.before = lambda: asyncio.sleep(60)
        session = (await bot.result_of(bot.command("list"), 25.2)).get("sessionid", "")
        again = await bot.result_of(bot.command("list", session, "next"), 25.2)
        assert note_of(again) == COMMAND_LATE
        done = await bot.result_of(bot.command("list", session), 25.2)
        assert done.get("status") == "completed"
        assert bot.messages == []


@in_virtual_time
async def test_a_form_that_comes_late_waits_for_its_client() -> None:
    async with lab() as bot:
        session = await bot.begun()
        bot.commands.before = lambda: asyncio.sleep(30)
        await bot.result_of(bot.command("send", session, "next", {"file": "1"}), 25.2)
        await asyncio.sleep(60)
        assert bot.messages == []
        second = await bot.result_of(bot.command("send", session, "next"))
        assert form_of(second) == "Send it?"
        assert len(bot.commands.carried_out) == 1


@in_virtual_time
async def test_a_late_failure_is_said() -> None:
    async def fail_late() -> None:
        await asyncio.sleep(30)
        raise ZeroDivisionError

    async with lab() as bot:
        bot.commands.before = fail_late
        await bot.result_of(bot.command("list"), 25.2)
        await asyncio.sleep(20)
        assert bot.messages == [(Address(ANNA), "incident")]


@in_virtual_time
async def test_a_step_that_never_ends_is_cancelled_by_its_person() -> None:
    async with lab() as bot:
        bot.commands.before = forever
        session = await bot.begun()
        waits = bot.command("send", session, "next", {"file": "1"})
        cancel = bot.command("send", session, "cancel")
        assert (await bot.result_of(waits)).get("status") == "canceled"
        assert (await bot.result_of(cancel)).get("status") == "canceled"
        await asyncio.sleep(1)
        assert len(bot.service._runner._steps) == 0
        assert bot.messages == []


@in_virtual_time
async def test_a_step_that_never_ends_is_given_up() -> None:
    async with lab() as bot:
        bot.commands.before = forever
        await bot.result_of(bot.command("list"), 25.2)
        await asyncio.sleep(STEP_LIMIT_S)
        assert len(bot.service._runner._sessions) == 0
        assert bot.messages == [(Address(ANNA), "incident")]


@in_virtual_time
async def test_a_request_whose_note_finds_no_place_is_answered_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*_: object) -> str:
        await forever()
        return ""

    async with lab(limits=CommandLimits(total=2)) as bot:
        bobs, annas = await bot.begun(BOB), await bot.begun()
        bot.commands.before = lambda: asyncio.sleep(60)
        waiting = bot.command("send", annas, "next", {"file": "1"})
        await asyncio.sleep(24.5)
        monkeypatch.setattr(bot.handlers, "command_words", hang)
        for _ in range(4):
            bot.command("send", bobs, "next", {"file": "none"}, sender=BOB)
        assert await bot.error_of(waiting, 1.0) == BUSY
        await asyncio.sleep(60)
        assert len(bot.answers_to(waiting)) == 1
        asked = await bot.result_of(bot.command("send", annas, "next"))
        assert form_of(asked) == "Send it?"


@in_virtual_time
async def test_words_that_never_come_are_not_waited_for() -> None:
    async def no_words(*_: object) -> str:
        await forever()
        return ""

    async with lab() as bot:
        bot.handlers.command_words = no_words
        bot.commands.before = forever
        late = await bot.result_of(bot.command("list"), 28.2)
        assert note_of(late) is None


@pytest.mark.conformance(107)
@in_virtual_time
async def test_steps_under_way_are_bounded() -> None:
    async with lab(limits=CommandLimits(per_person=2, total=3)) as bot:
        bot.commands.before = forever
        for _ in range(2):
            bot.command("list")
        assert await bot.error_of(bot.command("list")) == BUSY
        bot.command("list", sender=BOB)
        assert await bot.error_of(bot.command("list", sender="carol@example.org/x")) == BUSY


@in_virtual_time
async def test_at_a_stop_all_who_wait_are_answered() -> None:
    async with lab() as bot:
        bot.commands.before = forever
        waits = bot.command("list")
        await asyncio.sleep(1)
        await bot.service.close()
        assert (await bot.error_of(waits)).condition == "recipient-unavailable"
        assert (await bot.error_of(bot.command("list"))).condition == "recipient-unavailable"


@in_virtual_time
async def test_what_waits_for_its_answer_keeps_no_stanza() -> None:
    async with lab() as bot:
        session = await bot.begun()
        bot.commands.before = forever
        bot.command("send", session, "next", {"file": "1", "other": "x" * 500_000})
        await asyncio.sleep(1)
        [waiting] = bot.service._runner._sessions
        assert waiting.owned.request is not None
        assert len(waiting.owned.request.payload) == 0
        assert bot.service._runner._sessions.size_bytes < 10_000


# --- what is too large ------------------------------------------------------------------------------


@in_virtual_time
async def test_a_result_that_is_too_large_for_a_stanza_is_a_message() -> None:
    async with lab() as bot:
        bot.commands.result = FormStep(
            "Found.", table=Table("Files", TABLE.columns, (("a", "b" * 12_000),))
        )
        done = await bot.result_of(bot.command("list"))
        assert (done.get("status"), note_of(done)) == ("completed", COMMAND_AS_MESSAGE)
        [(to, text)] = bot.messages
        assert to == Address(ANNA)
        assert text.startswith("Found.\n\nFiles\nName | Size\na | bbb")


@in_virtual_time
async def test_a_client_that_may_fail_at_a_table_gets_the_text_alone() -> None:
    async with lab() as bot:
        bot.software[LAPTOP] = "https://gajim.org"
        bot.software[IN_ROOM] = "https://conversejs.org"
        bot.rooms.occupants["Anna"] = Occupant("anna@example.org", f"{ROOM}/id1")
        bot.commands.result = FormStep("Found: a, 1 kB.", table=TABLE)
        tables = [
            (await bot.result_of(bot.command("list", sender=sender))).find(f"{{{DATA_FORM}}}x")
            for sender in (ANNA, LAPTOP, "anna@example.org/unknown", IN_ROOM)
        ]
        assert [each is not None for each in tables] == [True, False, False, False]


@in_virtual_time
async def test_a_form_that_is_too_large_ends_the_command() -> None:
    async with lab() as bot:
        bot.commands.result = FormStep(
            form=Form("x", fields=(FormField("a", FieldKind.TEXT, "y" * 12_000),))
        )
        assert (await bot.error_of(bot.command("list"))).condition == "resource-constraint"
        assert len(bot.service._runner._sessions) == 0


@in_virtual_time
async def test_a_step_that_is_too_large_for_the_memory_ends_the_command() -> None:
    async with lab(limits=CommandLimits(person_bytes=20_000)) as bot:
        bot.commands.result = FormStep(form=Form("x" * 20_000))
        assert (await bot.error_of(bot.command("list"))).condition == "resource-constraint"
        assert len(bot.service._runner._sessions) == 0
