"""Questions that wait for their answers, and the words that answer them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from filebot.errors import NotAllowed
from filebot.model import Address, AddressKind, Sender
from filebot.plugin.commands import Command, CommandUsage
from filebot.plugin.confirmation import (
    ANSWER_WITHIN,
    ANSWERS,
    MOST_QUESTIONS,
    QUESTIONS_BYTES,
    Asked,
    ConfirmationNeeded,
    Confirmations,
    OpenQuestions,
    PinnedFiles,
    Question,
    answer_in,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = Sender(Address("anna@example.org/phone"), "anna@example.org")


async def nothing(*_: Any) -> None:
    """Do nothing."""


COMMAND = Command("p", "do", (CommandUsage.parse("do"),), (), "Do.", nothing)


def question(text: str = "Sure?", **arguments: object) -> Question:
    return Question(COMMAND, "do", arguments, (asked("p/sure", text),), "")


def asked(template: str, text: str = "Sure?", *files: int) -> Asked:
    return Asked(template, text, frozenset(files))


def person(number: int) -> Sender:
    jid = f"{number}@example.org"
    return Sender(Address(jid), jid)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *(("yes", True), (" YES! ", True), ("ok.", True), ("是的。", True), ("ＹＥＳ", True)),
        *(("no", False), ("Nope.", False), ("不", False)),
        *(("yes, all", None), ("", None), ("yes" * 1000, None), ("not", None), ("y e s", None)),
    ],
)
def test_few_words_are_answers(text: str, answer: bool | None) -> None:
    assert answer_in(text) is answer


def test_each_answer_is_a_word_that_could_be_typed_as_a_command() -> None:
    assert all(word.casefold().split() == [word] for word in ANSWERS)


def test_a_question_is_taken_once_by_whoever_was_asked_from_any_of_their_clients() -> None:
    this, open_questions = question(), OpenQuestions()
    assert open_questions.put(ANNA, this, NOW)
    assert open_questions.take(person(1), NOW) is None
    desk = Sender(Address("anna@example.org/desk"), "anna@example.org")
    assert open_questions.take(desk, NOW + ANSWER_WITHIN) is this
    assert open_questions.take(desk, NOW) is None


def test_a_question_is_forgotten_after_its_time() -> None:
    open_questions = OpenQuestions()
    open_questions.put(ANNA, question(), NOW)
    assert open_questions.take(ANNA, NOW + ANSWER_WITHIN + timedelta(seconds=1)) is None
    assert open_questions.take(ANNA, NOW) is None


def test_a_later_question_takes_the_place_of_the_one_before() -> None:
    open_questions, later = OpenQuestions(), question("And now?")
    open_questions.put(ANNA, question(), NOW)
    open_questions.put(ANNA, later, NOW)
    assert open_questions.take(ANNA, NOW) is later


def test_whoever_has_but_a_nick_has_no_questions() -> None:
    nobody = Sender(Address("anna@example.org"), None, "room@example.org", "anna")
    open_questions = OpenQuestions()
    assert not open_questions.put(nobody, question(), NOW)
    assert open_questions.take(nobody, NOW) is None
    with pytest.raises(NotAllowed):
        Confirmations().require(nobody, asked("p/sure"))


def test_the_oldest_of_a_thousand_questions_is_forgotten() -> None:
    open_questions = OpenQuestions()
    for number in range(MOST_QUESTIONS + 1):
        open_questions.put(person(number), question(), NOW)
    assert open_questions.take(person(0), NOW) is None
    assert open_questions.take(person(1), NOW) is not None


def test_people_whom_a_room_makes_up_have_no_question_of_others_forgotten() -> None:
    open_questions, room = OpenQuestions(), "den@conference.example.org"
    open_questions.put(ANNA, question(), NOW)
    for number in range(2 * MOST_QUESTIONS):
        address = Address(room, AddressKind.ROOM)
        made_up = Sender(address, None, room, f"{number}", f"{room}/id{number}")
        assert open_questions.put(made_up, question(), NOW)
    assert open_questions.take(ANNA, NOW) is not None


def test_large_questions_are_fewer_and_too_large_ones_are_refused() -> None:
    open_questions = OpenQuestions()
    large = question("x" * (QUESTIONS_BYTES // 3), files=PinnedFiles((1, 2)))
    for number in range(3):
        assert open_questions.put(person(number), large, NOW)
    kept = [number for number in range(3) if open_questions.take(person(number), NOW)]
    assert kept == [1, 2]
    assert not open_questions.put(ANNA, question("x" * QUESTIONS_BYTES), NOW)
    assert open_questions.take(ANNA, NOW) is None


def test_answers_count_in_the_order_of_their_questions_alone() -> None:
    a, b, c = (asked(f"p/{each}") for each in "abc")
    given = Confirmations((a, b))
    given.require(ANNA, a)
    with pytest.raises(ConfirmationNeeded) as needed:
        given.require(ANNA, c)
    assert needed.value.confirmed == (a, c)
    assert given.is_refused
    given = Confirmations((a,))
    given.require(ANNA, a)
    with pytest.raises(ConfirmationNeeded) as needed:
        given.require(ANNA, a)
    assert needed.value.confirmed == (a, a)


@pytest.mark.parametrize("files_changed", [False, True])
def test_a_yes_is_to_the_words_that_were_read(files_changed: bool) -> None:
    def is_answered(this: Asked, by: Asked) -> bool:
        return this.is_answered_by(by, files_changed=files_changed)

    two = asked("p/a", "Both?", 1, 2)
    assert is_answered(two, two)
    assert is_answered(asked("p/a", "This one?", 1), two) is files_changed
    assert not is_answered(asked("p/a", "Both?", 1, 3), two)
    assert not is_answered(asked("p/b", "Both?", 1, 2), two)
