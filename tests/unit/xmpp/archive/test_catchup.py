"""Catching up with an archive that forgets, fails, or is not there; and what is saved of it when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from xml.etree.ElementTree import Element

import pytest
from slixmpp.exceptions import IqError, XMPPError
from slixmpp.stanza import Iq

from filebot.concurrency import tasks
from filebot.errors import CatalogUnavailable, PeerProtocolError
from filebot.model import ArchivePosition
from filebot.protocol import archive_cursor
from filebot.protocol.archive_cursor import id_of, message_key
from filebot.testing.catalog import MemoryCatalog
from filebot.xmpp.archive import catchup, page_reader, position_keeper
from filebot.xmpp.archive.catchup import MOST_OPEN, CatchUp
from filebot.xmpp.archive.first_session import BEGINNING
from filebot.xmpp.archive.mam_query import Archived, ArchivePage
from filebot.xmpp.archive.turns import private_turn, with_answers
from filebot.xmpp.connection.stream import Stream
from tests.support.waiting import loop_turns, until
from tests.unit.xmpp.conftest import SentStanzas

OWN = "bot@example.org"
AT = datetime(2020, 11, 24, 12, tzinfo=UTC)


PAGE_GOES_ON = 49
"""New messages in each page after the first: it begins with the last message of the page before."""


def moment(number: int) -> datetime:
    return AT + timedelta(seconds=number)


def key(archive_id: str) -> str:
    return message_key(archive_id, Element("message"))


class World:
    """A bot's archive with messages ``1`` and up, in pages of 50, and what is taken out of it."""

    def __init__(self, outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> None:
        self.marks = MemoryCatalog()
        self.outbox = outbox
        self.numbers: list[int] = []
        self.failures: list[Exception] = []
        self.asked: list[tuple[str, datetime | None]] = []
        self.taken: list[str] = []
        self.at_once = True
        self.of_room = False
        self.deaf = 0
        self.pings = 0
        self.gives_ids: list[bool | None] = [True]
        monkeypatch.setattr(catchup, "GATHER_S", 0.0)
        monkeypatch.setattr(catchup, "REVIEW_S", 0.0)
        monkeypatch.setattr(catchup, "SAVE_AFTER_S", 0.0)
        monkeypatch.setattr(position_keeper, "SAVE_AGAIN_S", 0.0)
        monkeypatch.setattr(position_keeper, "server_answers", self._server_answers)
        monkeypatch.setattr(page_reader, "LONGEST_WAIT_S", 0.0)
        self.catch_up = self.bot()

    def bot(self) -> CatchUp:
        """A new process, which knows nothing but what was saved."""
        made = CatchUp(
            self.outbox.stream,
            OWN,
            self.marks,
            self._take,
            partial(private_turn, OWN),
            of_room=self.of_room,
            gives_ids=None if self.of_room else self._whether_ids,
        )
        made._archive.page = self._page  # type: ignore[method-assign]
        made._archive.newest = self._newest  # type: ignore[method-assign]
        self.catch_up = made
        return made

    async def online(self) -> None:
        await self.catch_up.begin()
        await self.catch_up.start()

    async def until(self, reached: Callable[[], bool]) -> None:
        await until(reached, 5)

    def saved(self) -> tuple[str, frozenset[str]] | None:
        mark = self.marks._positions.get(OWN)
        return None if mark is None else (mark.last_id, frozenset(map(id_of, mark.ahead)))

    def _take(self, archived: Archived) -> bool:
        self.taken.append(archived.id)
        if self.at_once:
            self.catch_up.handled(archived.key)
        return True

    async def _whether_ids(self) -> bool | None:
        return self.gives_ids.pop(0) if len(self.gives_ids) > 1 else self.gives_ids[0]

    async def _server_answers(self, stream: Stream, limit_s: float) -> bool:
        await asyncio.sleep(0)
        self.pings += 1
        if self.deaf:
            self.deaf -= 1
            return False
        return True

    async def _page(self, after: str = "", start: datetime | None = None) -> ArchivePage:
        self.asked.append((after, start))
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if after and int(after) not in self.numbers:
            raise XMPPError("item-not-found")
        later = [
            number
            for number in self.numbers
            if number > int(after or 0) and (start is None or moment(number) >= start)
        ]
        page = [Archived(str(number), moment(number), Element("message")) for number in later[:50]]
        return ArchivePage(page, page[-1].id if page else "", len(later) <= 50)

    async def _newest(self, before: str = "") -> Archived | None:
        if self.failures:
            raise self.failures.pop(0)
        number = max((each for each in self.numbers if not before or each < int(before)), default=0)
        return Archived(str(number), moment(number), Element("message")) if number else None


@pytest.fixture
async def world(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    made = World(outbox, monkeypatch)
    yield made
    await made.catch_up.close()


async def test_it_goes_on_after_the_mark_page_by_page(world: World) -> None:
    world.numbers = [*range(1, 131)]
    await world.marks.save_position(ArchivePosition(OWN, "5", moment(5), frozenset({"9"})))
    await world.online()
    await world.until(lambda: world.saved() == ("130", frozenset()))
    assert world.taken == [str(number) for number in range(6, 131) if number != 9]
    assert world.asked == [("5", None), ("54", None), ("103", None)]


async def test_the_first_start_ever_begins_now_and_says_so_at_once(world: World) -> None:
    world.numbers = [*range(1, 9)]
    await world.online()
    await world.until(lambda: world.saved() == ("", frozenset()))
    await world.until(lambda: len(world.asked) == 1)
    [(after, start)] = world.asked
    assert after == ""
    assert start is not None
    assert abs(datetime.now(UTC) - start) < timedelta(minutes=1)


async def test_what_the_archive_has_forgotten_is_passed_over_by_its_time(world: World) -> None:
    world.numbers = [7, 8]
    await world.marks.save_position(ArchivePosition(OWN, "5", moment(8)))
    await world.online()
    await world.until(lambda: world.saved() == ("8", frozenset()))
    assert world.taken == ["8"]
    assert world.asked == [("5", None), ("", moment(8))]


@pytest.mark.parametrize(
    "failure",
    [XMPPError("internal-server-error"), XMPPError("remote-server-timeout"), PeerProtocolError("")],
)
async def test_an_archive_that_fails_is_asked_again_where_it_failed(
    world: World, failure: Exception
) -> None:
    world.numbers = [*range(1, 61)]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    world.failures = [failure, failure]
    await world.online()
    await world.until(lambda: world.saved() == ("60", frozenset()))
    assert [after for after, _ in world.asked] == ["1", "1", "1", "50"]
    assert len(world.taken) == 59


async def test_without_an_archive_it_is_not_asked_again(world: World) -> None:
    world.failures = [XMPPError("feature-not-implemented")]
    await world.online()
    await world.until(lambda: not world.failures)
    await loop_turns()
    assert len(world.asked) == 1
    assert world.catch_up.live(None, kept_back=True)


async def test_of_an_answer_that_is_an_error_only_its_condition_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    refusal = Iq()  # type: ignore[no-untyped-call]  # untyped in slixmpp
    refusal["error"]["condition"] = "internal-server-error"
    refusal["error"]["text"] = "x" * 100_000
    world.failures = [IqError(refusal)]  # type: ignore[no-untyped-call]  # untyped in slixmpp
    await world.online()
    await world.until(lambda: len(world.asked) >= 2)
    assert "internal-server-error" in caplog.text
    assert len(caplog.text) < 1_000


async def test_no_more_is_read_than_can_be_dealt_with(world: World) -> None:
    world.numbers = [*range(1, 1001)]
    world.at_once = False
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.taken) > MOST_OPEN)
    await loop_turns()
    assert MOST_OPEN < len(world.taken) == 50 + 4 * PAGE_GOES_ON
    for each in [*world.taken][:60]:
        world.catch_up.handled(key(each))
    await world.until(lambda: len(world.taken) == 50 + 5 * PAGE_GOES_ON)


async def test_no_more_is_read_than_can_be_remembered_behind_one_that_takes_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_cursor, "MOST", 200)
    world.numbers = [*range(1, 1001)]

    def take(archived: Archived) -> bool:
        world.taken.append(archived.id)
        if archived.id != "2":
            world.catch_up.handled(archived.key, save=False)
        return False

    world.catch_up._take = take
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.taken) >= 200)
    await loop_turns()
    assert len(world.taken) == 50 + 4 * PAGE_GOES_ON
    world.catch_up.handled(key("2"))
    await world.until(lambda: len(world.taken) == 999)


async def test_what_the_server_kept_back_is_taken_from_the_archive(world: World) -> None:
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    world.numbers = [1]
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    world.numbers = [1, 2, 3]
    assert not world.catch_up.live(key("1"), kept_back=True)  # dealt with before the mark
    assert not world.catch_up.live(key("3"), kept_back=True)
    await world.until(lambda: world.saved() == ("3", frozenset()))
    assert world.taken == ["2", "3"]


async def first_session(world: World, *kept_back: int) -> None:
    """Go online as a session does, with messages that the server had kept back."""
    await world.catch_up.begin()
    assert not world.catch_up.has_place
    for number in kept_back:
        assert not world.catch_up.live(key(str(number)), kept_back=True, since=moment(number))
    await world.catch_up.begin_before_kept_back()


async def test_before_the_server_may_forget_what_it_kept_back_the_mark_stands_before_that(
    world: World,
) -> None:
    world.numbers = [*range(1, 9)]
    await first_session(world, 6, 7, 8)
    assert world.marks._positions[OWN] == ArchivePosition(OWN, "", moment(5))
    # Killed just now.
    world.bot()
    await world.online()
    await world.until(lambda: world.taken == ["5", "6", "7", "8"])


async def test_a_time_that_somebody_made_up_does_not_keep_the_first_session_from_its_place(
    world: World,
) -> None:
    world.numbers = [1, 2, 3]
    await world.catch_up.begin()
    assert not world.catch_up.live(key("2"), kept_back=True, since=datetime.min.replace(tzinfo=UTC))
    assert not world.catch_up.live(key("3"), kept_back=True, since=moment(3))
    await world.catch_up.begin_before_kept_back()
    await world.catch_up.find_place()
    await world.catch_up.start()
    await world.until(lambda: "3" in world.taken)
    assert world.taken == ["2", "3"]


async def test_whoever_makes_up_a_time_takes_no_message_of_others(world: World) -> None:
    world.numbers = [1, 2, 3]
    await world.catch_up.begin()
    for number, since in ((2, 2), (3, 0)):
        assert not world.catch_up.live(key(str(number)), kept_back=True, since=moment(since))
    await world.catch_up.begin_before_kept_back()
    await world.catch_up.find_place()
    assert world.marks._positions[OWN].last_id == "1"


async def test_the_first_session_reads_what_was_kept_back_and_no_history(world: World) -> None:
    world.numbers = [*range(1, 9)]
    await first_session(world, 6, 7, 8)
    await world.catch_up.find_place()
    assert world.marks._positions[OWN] == ArchivePosition(OWN, "5", moment(5))
    await world.catch_up.start()
    await world.until(lambda: world.saved() == ("8", frozenset()))
    assert world.taken == ["6", "7", "8"]


async def test_where_all_of_the_archive_was_kept_back_it_is_read_from_its_beginning(world: World) -> None:
    world.numbers = [1, 2]
    await first_session(world, 1, 2)
    await world.catch_up.find_place()
    assert world.marks._positions[OWN] == ArchivePosition(OWN, "", BEGINNING)
    await world.catch_up.start()
    await world.until(lambda: world.taken == ["1", "2"])


async def test_where_nothing_was_kept_back_the_first_session_begins_at_the_end_of_the_archive(
    world: World,
) -> None:
    world.numbers = [1, 2]
    await first_session(world)
    await world.catch_up.find_place()
    assert world.saved() == ("2", frozenset())


async def test_an_archive_that_is_empty_at_first_is_read_whatever_the_clocks_say(world: World) -> None:
    await first_session(world)
    await world.catch_up.find_place()
    await world.catch_up.start()
    world.numbers = [1]  # of 2020
    assert world.catch_up.live(key("2"), kept_back=False)
    world.catch_up.handled(key("2"))
    world.numbers = [1, 2]
    await world.until(lambda: world.saved() == ("2", frozenset()))
    assert world.taken == ["1"]


async def test_after_a_kill_before_the_first_presence_what_is_kept_back_is_found(
    world: World,
) -> None:
    world.numbers = [*range(1, 9)]
    await first_session(world)
    world.bot()
    await first_session(world, 6)
    await world.catch_up.find_place()
    await world.catch_up.start()
    await world.until(lambda: world.taken == ["6", "7", "8"])


async def test_what_went_to_another_client_between_two_live_messages_is_read(world: World) -> None:
    world.numbers = [1]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    world.numbers = [1, 2, 3, 4]
    for each in ("2", "4"):
        assert world.catch_up.live(key(each), kept_back=False)
        world.catch_up.handled(key(each))
    await world.until(lambda: world.saved() == ("4", frozenset()))
    assert world.taken == ["3"]


async def test_what_the_archive_has_not_shown_yet_is_not_passed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "REVIEW_S", 60.0)
    world.numbers = [1]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    world.numbers = [1, 2, 3]
    assert world.catch_up.live(key("3"), kept_back=False)
    world.catch_up.handled(key("3"))
    await world.until(lambda: world.saved() == ("1", frozenset({"3"})))
    world.bot()
    await world.online()
    await world.until(lambda: world.saved() == ("3", frozenset()))
    assert world.taken == ["2"]


@pytest.mark.parametrize("before", [None, ArchivePosition(OWN, "1", moment(1))])
async def test_without_ids_on_live_messages_nothing_is_caught_up_with(
    world: World, before: ArchivePosition | None
) -> None:
    world.numbers = [1, 2]
    world.gives_ids = [False]
    if before is not None:
        await world.marks.save_position(before)
    await world.online()
    assert not world.catch_up.is_on
    assert world.catch_up.has_place
    assert world.catch_up.live(key("2"), kept_back=True)
    world.catch_up.handled(key("2"))
    assert (world.saved(), world.asked) == (None, [])
    # With ids one day, it begins anew.
    world.gives_ids = [True]
    await first_session(world)
    await world.catch_up.find_place()
    assert world.saved() == ("2", frozenset())


async def test_the_archive_is_not_read_before_it_is_known_whether_it_gives_ids(world: World) -> None:
    world.numbers = [1, 2]
    world.gives_ids = [None, None, True]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: world.saved() == ("2", frozenset()))
    world.gives_ids = [None, None, False]
    world.bot()
    await world.online()
    await world.until(lambda: world.saved() is None)
    assert [after for after, _ in world.asked] == ["1"]


async def test_what_ended_ahead_is_not_done_again_after_a_crash(world: World) -> None:
    world.numbers = [*range(1, 6)]
    world.at_once = False
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.taken) == 4)
    world.catch_up.handled(key("4"))
    await world.until(lambda: world.saved() == ("1", frozenset({"4"})))
    await world.catch_up.close()
    world.taken.clear()
    world.at_once = True
    world.bot()
    await world.online()
    await world.until(lambda: world.saved() == ("5", frozenset()))
    assert world.taken == ["2", "3", "5"]


async def test_a_mark_that_could_not_be_saved_is_saved_later_and_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = 2
    save = world.marks.save_position

    async def failing(mark: ArchivePosition) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise CatalogUnavailable("busy")
        await save(mark)

    monkeypatch.setattr(world.marks, "save_position", failing)
    world.numbers = [1]
    await world.online()
    await world.until(lambda: world.saved() == ("", frozenset()))
    assert world.catch_up.live(key("2"), kept_back=False)
    world.catch_up.handled(key("2"))
    await world.until(lambda: len(world.asked) == 1)
    await world.catch_up.close()
    assert world.saved() == ("", frozenset({"2"}))


async def test_what_the_server_has_not_heard_is_not_dealt_with(world: World) -> None:
    world.numbers = [1, 2]
    world.deaf = 10**9
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: world.taken == ["2"])
    await loop_turns()
    assert world.saved() == ("1", frozenset())
    world.deaf = 0
    await world.until(lambda: world.saved() == ("2", frozenset()))


async def test_messages_that_are_handled_soon_after_one_another_are_saved_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.of_room = True
    world.bot()
    world.numbers = [1]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    await loop_turns()
    monkeypatch.setattr(catchup, "SAVE_AFTER_S", 0.05)
    before = world.pings
    for number in range(2, 12):
        assert world.catch_up.live(key(str(number)), kept_back=False)
        world.catch_up.handled(key(str(number)))
        await loop_turns()
    assert world.saved() == ("1", frozenset())
    await world.until(lambda: world.saved() == ("11", frozenset()))
    assert world.pings == before + 1


async def test_without_marks_nothing_is_asked_and_everything_is_taken(
    world: World, outbox: SentStanzas
) -> None:
    plain = CatchUp(outbox.stream, OWN, None, lambda _: False, partial(private_turn, OWN))
    await plain.begin()
    await plain.start()
    assert plain.live("1", kept_back=True)
    plain.handled("1")
    await plain.close()
    assert outbox.sent == []


def said(sender: str, to: str, at: datetime, message_id: str) -> Archived:
    return Archived(message_id, at, Element("message", {"from": sender, "to": to}))


async def test_what_an_earlier_run_seems_to_have_answered_is_told_apart(world: World) -> None:
    anna, bert, later = (
        "anna@example.org/phone",
        "bert@example.org/pc",
        datetime.now(UTC) + timedelta(hours=1),
    )
    page = ArchivePage(
        [
            said(anna, OWN, moment(1), "asked"),
            said(bert, OWN, moment(2), "not heard"),
            said(f"{OWN}/x", "anna@example.org", moment(3), "answer"),
            said(anna, OWN, moment(4), "asked since"),
            said(f"{OWN}/y", "bert@example.org", later, "answer of this run"),
        ],
        "",
        True,
    )
    found = {
        each.id: each.answered
        for each in with_answers(page.messages, world.catch_up._turn, datetime.now(UTC))
    }
    assert [each for each, answered in found.items() if answered] == ["asked"]
    assert [*found] == [each.id for each in page.messages]


async def of_a_room(world: World) -> None:
    world.of_room = True
    world.bot()
    await world.online()


async def test_of_a_room_nothing_is_read_that_is_older_than_the_first_stay(world: World) -> None:
    world.numbers = [1, 2, 3]
    world.failures = [XMPPError("internal-server-error")]
    await of_a_room(world)
    await world.until(lambda: world.saved() == ("3", frozenset()))
    assert world.catch_up.live(key("4"), kept_back=False)
    world.catch_up.handled(key("4"))
    await world.until(lambda: world.saved() == ("4", frozenset()))
    assert world.taken == []


async def test_what_is_still_dealt_with_at_the_first_look_is_not_passed_over(world: World) -> None:
    world.numbers = [1, 2, 3]
    world.failures = [XMPPError("internal-server-error")]
    await of_a_room(world)
    assert world.catch_up.live(
        key("3"), kept_back=False
    )  # the stay has begun, and the archive is not read yet
    await world.until(lambda: not world.failures)
    await loop_turns()
    assert world.saved() == ("", frozenset())
    world.catch_up.handled(key("3"))
    await world.until(lambda: world.saved() == ("3", frozenset()))


async def test_a_room_that_was_empty_at_first_is_read_from_that_moment_on(world: World) -> None:
    await of_a_room(world)
    await world.until(lambda: world.saved() == ("", frozenset()))
    await world.catch_up.close()
    await of_a_room(world)
    await world.until(lambda: len(world.asked) == 1)
    assert world.asked[0][1] is not None


async def test_what_is_nobody_s_business_is_no_reason_to_save(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.of_room = True
    world.bot()
    world.numbers = [1]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    assert world.catch_up.live(key("2"), kept_back=False)
    await loop_turns()
    world.catch_up.handled(key("2"), save=False)
    await loop_turns()
    assert world.saved() == ("1", frozenset())
    await world.catch_up.close()
    assert world.saved() == ("2", frozenset())
    world.numbers = [1, 2]
    monkeypatch.setattr(position_keeper, "SAVE_EVERY_S", 0.01)
    world.bot()
    await world.online()
    assert world.catch_up.live(key("3"), kept_back=False)
    await world.until(lambda: len(world.asked) == 2)
    world.catch_up.handled(key("3"), save=False)
    await world.until(lambda: world.saved() == ("3", frozenset()))


async def test_what_is_forgotten_begins_anew(world: World) -> None:
    world.numbers = [1, 2]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await of_a_room(world)
    await world.until(lambda: world.saved() == ("2", frozenset()))
    await world.catch_up.forget()
    assert world.saved() is None
    assert world.catch_up.live(key("3"), kept_back=False)
    world.catch_up.handled(key("3"))
    world.numbers = [1, 2, 3, 4]
    await world.online()
    await world.until(lambda: world.saved() == ("4", frozenset()))
    assert world.taken == ["2"]


async def test_what_comes_after_a_pause_has_no_place_before_the_archive_was_read(world: World) -> None:
    world.numbers = [1]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: len(world.asked) == 1)
    await world.catch_up.pause()
    assert world.catch_up.live(key("3"), kept_back=False)
    world.catch_up.handled(key("3"))
    await world.until(lambda: world.saved() == ("1", frozenset({"3"})))
    world.numbers = [1, 2, 3]
    await world.online()
    await world.until(lambda: world.saved() == ("3", frozenset()))
    assert world.taken == ["2"]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_S", 0.01)


async def test_a_message_that_nobody_can_bear_does_not_stop_the_reading(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.numbers = [*range(1, 61)]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    take = world.catch_up._take

    def taken(archived: Archived) -> bool:
        if archived.id == "7":
            raise RuntimeError("a bug")
        return take(archived)

    monkeypatch.setattr(world.catch_up, "_take", taken)
    await world.online()
    await world.until(lambda: world.saved() == ("60", frozenset()))
    assert len(world.taken) == 58
    assert [after for after, _ in world.asked] == ["1", "50"]


@pytest.mark.usefixtures("hurried")
async def test_an_error_does_not_end_the_reading(world: World) -> None:
    world.numbers = [*range(1, 61)]
    world.failures = [RuntimeError("a bug")]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: world.saved() == ("60", frozenset()))
    assert len(world.taken) == 59


@pytest.mark.usefixtures("hurried")
async def test_an_error_does_not_end_the_saving(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [RuntimeError("a bug")]
    save = world.marks.save_position

    async def failing(mark: ArchivePosition) -> None:
        if mark.last_id == "2" and failures:
            raise failures.pop()
        await save(mark)

    monkeypatch.setattr(world.marks, "save_position", failing)
    world.numbers = [1, 2]
    await world.marks.save_position(ArchivePosition(OWN, "1", moment(1)))
    await world.online()
    await world.until(lambda: not failures)
    world.numbers = [1, 2, 3]
    assert world.catch_up.live(key("3"), kept_back=False)
    world.catch_up.handled(key("3"))
    await world.until(lambda: world.saved() == ("3", frozenset()))
