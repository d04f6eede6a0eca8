"""A file finds its way, and its person reads why; what reaches nobody waits."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest

from filebot.delivery import attempt, queue
from filebot.delivery.queue import KEPT_FOR
from filebot.errors import (
    CatalogUnavailable,
    PeerGone,
    PeerProtocolError,
    Refused,
    TransferError,
    TransferTimeout,
)
from filebot.model import Client, Entry, Method, Negotiation, StreamMethod
from filebot.testing import ALICE, BOB, FakeBot
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.messenger import Said
from tests.support.waiting import until

BOTH = frozenset({Method.SOCKS5, Method.IBB})
DESKTOP = Client(f"{ALICE}/desktop", {Negotiation.SI: BOTH})
BOBS = Client(f"{BOB}/desktop", {Negotiation.SI: BOTH})
SLOW = Client(f"{ALICE}/slow", {Negotiation.SI: frozenset({Method.IBB})})
SOCKS5 = StreamMethod(Negotiation.SI, Method.SOCKS5)
IBB = StreamMethod(Negotiation.SI, Method.IBB)

A_MONTH = KEPT_FOR + timedelta(seconds=1)

DIRECTLY = 'Your server has no upload service, so I am sending "a.bin" directly.'
SLOWLY = "over our chat connection. That is slow: it takes about 1 minute 40 seconds."


def number_in(said: str) -> str:
    found = re.search(r"cancel (\d+)", said)
    assert found is not None, said
    return found[1]


@pytest.fixture
async def bot(bot: FakeBot) -> FakeBot:
    """On a server without an upload service, with a file of Alice's."""
    await bot.drop("a.bin", b"content")
    bot.uploads.away = True
    return bot


# --- the line ---------------------------------------------------------------------------------------


async def test_without_a_service_the_file_goes_directly_and_one_line_says_so_first(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    assert await bot.say("get a.bin") == [DIRECTLY]
    assert bot.streams.received == [(DESKTOP.jid, SOCKS5, b"content")]
    assert await bot.catalog.deliveries() == []


async def test_the_line_is_read_before_the_client_asks_its_person(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    read_before: list[str] = []

    async def send(to: str, file: Path, entry: Entry, way: StreamMethod, progress: object) -> Method:
        read_before.extend(bot.messenger.texts(ALICE)[1:])
        return way.method

    bot.streams.send = send  # type: ignore[method-assign]  # looks what was said by then
    assert await bot.say("get a.bin") == read_before
    assert len(read_before) == 1


async def test_the_limit_of_the_service_is_named(bot: FakeBot) -> None:
    bot.uploads.away, bot.uploads.limit_bytes = False, 10_000_000
    await bot.drop("b.bin", b"x" * 20_000)
    bot.uploads.limit_bytes = 10_000
    bot.streams.online[ALICE] = (DESKTOP,)
    assert await bot.say("get b.bin") == [
        'Your server takes files up to 10 kB, so I am sending "b.bin" directly.'
    ]


async def test_in_band_is_said_to_be_slow_and_how_long_it_takes(bot: FakeBot) -> None:
    await bot.drop("b.bin", b"x" * 700_000)
    bot.streams.online[ALICE] = (SLOW,)
    assert await bot.say("get b.bin") == [
        f'Your server has no upload service, so I am sending "b.bin" {SLOWLY}'
    ]
    assert await bot.say("get b.bin by ibb") == [
        f'I am sending "b.bin" {SLOWLY}',
        'Sent "b.bin".',
    ]


async def test_a_friend_reads_from_whom_it_is_and_why_so(bot: FakeBot) -> None:
    bot.streams.online[BOB] = (BOBS,)
    await bot.say(f"send a.bin to {BOB}")
    said = [(each.to.jid, each.text) for each in bot.messenger.sent[1:] if isinstance(each, Said)]
    assert said == [
        (
            BOB,
            f'"a.bin" is from "{ALICE}".\n{DIRECTLY}',
        ),
        (ALICE, f'Sent "a.bin" to "{BOB}".'),
    ]


async def test_who_is_on_another_server_is_told_of_the_bots(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    object.__setattr__(bot._services.worker._context, "server", "other.example")
    assert (await bot.say("get a.bin"))[0].startswith("My server has no upload service")


# --- falling ----------------------------------------------------------------------------------------


async def test_a_failed_way_falls_to_the_next_under_the_same_number(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP, SLOW)
    bot.streams.failures = [PeerGone("no route"), PeerProtocolError("nonsense")]
    shown: list[tuple[int, Method]] = []
    send = bot.streams.send

    async def watched(to: str, file: Path, entry: Entry, way: StreamMethod, progress: object) -> Method:
        [transfer] = bot._services.transfers.all()
        shown.append((transfer.number, transfer.method))
        return await send(to, file, entry, way, transfer.moved)

    bot.streams.send = watched  # type: ignore[method-assign]  # looks at the registry meanwhile
    assert await bot.say("get a.bin") == [
        DIRECTLY,
        'Your app did not accept it directly, so I am sending "a.bin" over our chat connection.',
    ]
    assert bot.streams.attempts == [(DESKTOP.jid, SOCKS5), (DESKTOP.jid, IBB), (SLOW.jid, IBB)]
    assert [method for _, method in shown] == [Method.SOCKS5, Method.IBB, Method.IBB]
    assert len({number for number, _ in shown}) == 1
    assert await bot.catalog.deliveries() == []


async def test_what_failed_lately_is_tried_last(bot: FakeBot) -> None:
    other = Client(f"{ALICE}/other", {Negotiation.SI: BOTH})
    bot.streams.online[ALICE] = (DESKTOP, other)
    bot.streams.failures = [PeerProtocolError("nonsense")]
    for _ in range(2):
        await bot.say("get a.bin")
    assert [to for to, _ in bot.streams.attempts] == [DESKTOP.jid, other.jid, other.jid]


async def test_an_upload_that_fails_falls_to_a_stream(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise Refused(status=500)

    bot.uploads.away = False
    monkeypatch.setattr("filebot.delivery.upload_links.PAUSE_S", 0)
    monkeypatch.setattr(bot.web, "put", broken)
    assert "(status 500)" in (await bot.say("get a.bin"))[0]
    bot.streams.online[ALICE] = (DESKTOP,)
    assert await bot.say("get a.bin") == [
        'Your server did not accept it, so I am sending "a.bin" directly.'
    ]
    assert len(bot.streams.received) == 1


async def test_a_client_that_left_is_not_tried_any_further(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)

    async def leaves(to: str, *_: object) -> Method:
        bot.streams.attempts.append((to, SOCKS5))
        bot.streams.online[ALICE] = ()
        raise PeerGone("left")

    bot.streams.send = leaves  # type: ignore[method-assign, assignment]  # a client that goes away
    said = await bot.say("get a.bin")
    assert len(bot.streams.attempts) == 1
    assert "did not get through" in said[-1]
    [queued] = await bot.catalog.deliveries()
    assert queued.tries == 0


# --- no ---------------------------------------------------------------------------------------------


async def test_who_declines_is_not_asked_by_the_next_stream(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP, SLOW)
    bot.streams.failures = [Refused(status=403)]
    _, said = await bot.say("get a.bin")
    assert said == (
        '"a.bin" could not be sent:\n'
        "- My server has no upload service, or it does not answer.\n"
        "- The app declined it.\n"
        "If you want it after all, ask for it again and accept it in your app."
    )
    assert len(bot.streams.attempts) == 1
    assert await bot.catalog.deliveries() == []


async def test_who_declines_gets_a_link_if_there_can_be_one_by_then(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)

    async def declines(*_: object) -> Method:
        bot.uploads.away = False
        raise Refused(status=403)

    bot.streams.send = declines  # type: ignore[method-assign, assignment]  # while the service comes back
    said = await bot.say("get a.bin")
    assert said[-1] == "Your app did not accept it directly, so here is a link."
    assert [shown.to.jid for shown in bot.sent] == [ALICE]
    assert await bot.catalog.deliveries() == []


async def test_when_nothing_works_each_cause_is_named_once(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP, SLOW)
    bot.streams.failures = [PeerProtocolError("one"), PeerProtocolError("two"), PeerProtocolError("three")]
    said = (await bot.say("get a.bin"))[-1]
    assert said.count("\n- ") == 2
    assert "sent something that I do not understand" in said
    assert said.endswith("Try again later, or with another app.")
    assert "None of your files" in (await bot.say("transfers"))[0]


async def test_a_named_method_stays_the_only_one(bot: FakeBot) -> None:
    bot.uploads.away = False
    bot.streams.online[ALICE] = (DESKTOP, SLOW)
    bot.streams.failures = [PeerProtocolError("nonsense")]
    assert "could not be sent" in (await bot.say("get a.bin by socks5"))[0]
    assert bot.streams.attempts == [(DESKTOP.jid, SOCKS5)]
    assert not bot.sent


# --- waiting ----------------------------------------------------------------------------------------


async def test_who_is_offline_gets_it_on_coming_online(bot: FakeBot) -> None:
    [said] = await bot.say(f"send a.bin to {BOB}")
    assert said.startswith('"a.bin" cannot be sent now:\n- My server has no upload service')
    assert f"I will send it as soon as {BOB} is online with an app that takes files directly" in said
    number = number_in(said)
    listed = (await bot.say("transfers"))[0]
    assert f"{number}: a.bin (waiting for {BOB} to come online)" in listed
    assert await bot.come_online(DESKTOP) == []
    assert await bot.come_online(BOBS) == [
        f'"a.bin" is from "{ALICE}".\nYour server has no upload service, so I am sending "a.bin" directly.',
        f'Sent "a.bin" to "{BOB}".',
    ]
    assert bot.streams.received == [(BOBS.jid, SOCKS5, b"content")]
    assert await bot.come_online(BOBS) == []
    assert await bot.catalog.deliveries() == []


async def test_it_waits_for_the_client_that_can_take_it(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    phone = Client(f"{BOB}/phone", {})
    assert await bot.come_online(phone) == []
    await bot.come_online(phone, BOBS)
    assert [to for to, _, _ in bot.streams.received] == [BOBS.jid]


async def test_a_link_that_can_be_by_then_is_taken(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    await bot.say("get a.bin")
    bot.uploads.away = False
    assert await bot.come_online(BOBS) == [f'Sent "a.bin" to "{BOB}".', f'"a.bin" is from "{ALICE}".']
    assert await bot.come_online(DESKTOP) == ['Now I can give you a link to "a.bin".']
    assert [shown.to.jid for shown in bot.sent] == [BOB, ALICE]
    assert not bot.streams.received


async def test_asking_again_is_no_second_request(bot: FakeBot) -> None:
    numbers = {number_in((await bot.say("get a.bin"))[0]) for _ in range(3)}
    assert len(numbers) == 1
    await bot.come_online(DESKTOP)
    assert len(bot.streams.received) == 1


async def test_asking_while_it_goes_names_the_number(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(to: str, file: Path, entry: Entry, way: StreamMethod, progress: object) -> Method:
        begun.set()
        await go_on.wait()
        return way.method

    bot.streams.send = slowly  # type: ignore[method-assign]  # so that we come in between
    first = asyncio.create_task(bot.say("get a.bin"))
    await begun.wait()
    second = asyncio.create_task(bot.say("get a.bin"))
    await until(lambda: any("already" in said for said in bot.messenger.texts(ALICE)), 5)
    bot._services.worker.came_online(ALICE)
    go_on.set()
    await asyncio.gather(first, second, bot._services.worker.idle())
    assert await bot.catalog.deliveries() == []


@pytest.mark.parametrize("error", [PeerGone("cut"), TransferTimeout(idle_s=60.0)])
async def test_what_broke_is_tried_again_after_a_pause_and_not_before(
    bot: FakeBot, error: TransferError
) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    bot.streams.failures = [error, error]
    said = (await bot.say("get a.bin"))[-1]
    assert said.startswith('"a.bin" did not get through:')
    assert "I will keep trying" in said
    assert await bot.come_online(DESKTOP) == []
    assert not bot.streams.received
    bot.now += attempt.FIRST_PAUSE
    assert await bot.come_online(DESKTOP) == [
        'I am sending "a.bin" again, because it did not get through last time.'
    ]
    assert len(bot.streams.received) == 1


async def test_nobody_is_tried_for_ever(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (SLOW,)
    bot.streams.failures = [PeerGone("cut")] * 100
    said = await bot.say("get a.bin")
    rounds = 1
    while "could not be sent" not in said[-1]:
        bot.now += attempt.LONGEST_PAUSE
        said = await bot.come_online(SLOW)
        rounds += 1
    assert rounds == attempt.MOST_TRIES
    assert len(bot.streams.attempts) == attempt.MOST_TRIES
    assert await bot.catalog.deliveries() == []


async def test_the_pauses_end_by_themselves(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "FIRST_PAUSE", attempt.FIRST_PAUSE * 0)
    bot.streams.online[ALICE] = (SLOW,)
    bot.streams.failures = [PeerGone("cut")] * 2
    await bot.say("get a.bin")
    await until(lambda: bot.streams.received, 5)
    assert len(bot.streams.attempts) == 3


async def test_what_waits_is_dropped_by_its_number_and_by_its_asker_alone(bot: FakeBot) -> None:
    number = number_in((await bot.say(f"send a.bin to {BOB}"))[0])
    assert "You have no transfer" in (await bot.say(f"cancel {number}", BOB))[0]
    assert await bot.say(f"cancel {number}") == ['Cancelled "a.bin".']
    assert "You have no transfer" in (await bot.say(f"cancel {number}"))[0]
    assert await bot.come_online(BOBS) == []
    assert not bot.streams.received


async def test_what_is_brought_later_can_be_stopped_too(bot: FakeBot) -> None:
    number = number_in((await bot.say(f"send a.bin to {BOB}"))[0])
    begun = asyncio.Event()

    async def hangs(*_: object) -> Method:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    bot.streams.send = hangs  # type: ignore[method-assign, assignment]  # until it is stopped
    coming = asyncio.create_task(bot.come_online(BOBS))
    await begun.wait()
    await bot.say(f"cancel {number}")
    assert (await coming)[-1] == '"a.bin" was stopped.'
    assert await bot.catalog.deliveries() == []


async def test_a_removed_file_waits_no_more(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    await bot.say("rm a.bin")
    assert "None of your files" in (await bot.say("transfers"))[0]
    assert await bot.come_online(BOBS) == []


async def test_after_a_month_the_asker_is_told_that_it_was_in_vain(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    [said] = await bot.pass_time(A_MONTH)
    assert said.startswith(f'"a.bin" waited 30 days for {BOB}')
    assert await bot.come_online(BOBS) == []
    assert await bot.catalog.deliveries() == []


async def test_what_waits_is_not_given_up_while_it_is_not_certain_what_time_it_is(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    bot.clock_is_trusted = False
    assert await bot.pass_time(A_MONTH) == []
    assert len(await bot.catalog.deliveries()) == 1


async def test_there_is_an_end_to_what_may_wait(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_OF_ONE", 2)
    monkeypatch.setattr(queue, "MOST", 3)
    for person in ("carol", "dave"):
        await bot.say(f"send a.bin to {person}@example.org")
    assert "You already have 2 files on their way" in (await bot.say(f"send a.bin to {BOB}"))[0]
    for name in ("b.bin", "c.bin"):
        await bot.drop(name, name.encode(), BOB)
        said = (await bot.say(f"send {name} to {ALICE}", BOB))[0]
    assert "3 files are already waiting for people" in said
    assert len(await bot.catalog.deliveries()) == 3


async def test_who_is_not_served_any_more_gets_nothing_more(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.say(f"send a.bin to {BOB}")
    monkeypatch.setattr(bot._services.access, "serves", lambda jid: jid != ALICE)
    assert await bot.come_online(BOBS) == []
    assert await bot.catalog.deliveries() == []
    assert not bot.streams.received


async def test_only_in_band_and_too_large_says_how_to_have_it_all_the_same(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filebot.delivery.route_planner.ASSUMED_BYTES_PER_S", 0.001)
    bot.streams.online[ALICE] = (SLOW,)
    [said] = await bot.say("get a.bin")
    assert "would take about 1 hour 56 minutes" in said
    assert "type: get a.bin by ibb" in said
    await bot.say("get a.bin by ibb")
    assert len(bot.streams.received) == 1
    assert await bot.catalog.deliveries() == []


# --- restarts ---------------------------------------------------------------------------------------


class AfterRestart(FakeBot):
    """The same catalog and store, everything else anew."""

    def __init__(self, old: FakeBot) -> None:
        super().__init__(catalog=old.catalog)
        self.store.blobs = old.store.blobs
        self.uploads.away = old.uploads.away


async def test_what_waited_waits_after_a_restart_under_its_number(bot: FakeBot) -> None:
    assert isinstance(bot.catalog, MemoryCatalog)
    number = number_in((await bot.say(f"send a.bin to {BOB}"))[0])
    async with AfterRestart(bot) as again:
        other = number_in((await again.say("get a.bin"))[0])
        assert int(other) > int(number)
        listed = (await again.say("transfers"))[0]
        assert listed.index(f"{number}: a.bin") < listed.index(f"{other}: a.bin")
        await again.say(f"cancel {other}")
        await again.come_online(BOBS)
        assert again.streams.received == [(BOBS.jid, SOCKS5, b"content")]


async def test_a_stream_has_its_row_from_before_it_begins(bot: FakeBot) -> None:
    bot.streams.online[ALICE] = (DESKTOP,)
    begun = asyncio.Event()

    async def hangs(*_: object) -> Method:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    bot.streams.send = hangs  # type: ignore[method-assign, assignment]  # the bot ends in the middle
    asking = asyncio.create_task(bot.say("get a.bin"))
    await begun.wait()
    [queued] = await bot.catalog.deliveries()
    assert "a.bin, 0%" in bot._first.replies.render(
        "transfers/list", "en", transfers=bot._services.transfers.all(), more=0, waiting=()
    )
    async with AfterRestart(bot) as again:
        assert "waiting for you" in (await again.say("transfers"))[0]
        await again.come_online(DESKTOP)
        assert again.streams.received == [(DESKTOP.jid, SOCKS5, b"content")]
        assert await again.catalog.deliveries() == []
    await bot.say(f"cancel {queued.number}")
    await asking


async def test_a_stopped_bot_keeps_what_was_under_way(bot: FakeBot) -> None:
    await bot.say(f"send a.bin to {BOB}")
    begun = asyncio.Event()

    async def hangs(*_: object) -> Method:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    bot.streams.send = hangs  # type: ignore[method-assign, assignment]  # until the bot stops
    bot.streams.online[BOB] = (BOBS,)
    bot._services.worker.came_online(BOB)
    await begun.wait()
    await bot._services.worker.close()
    assert len(await bot.catalog.deliveries()) == 1
    assert bot._services.transfers.all() == []
    bot._services.worker.came_online(BOB)
    await asyncio.sleep(0)
    assert not bot._services.worker._tasks


async def test_a_mishap_of_the_bots_own_is_tried_again_and_then_told(
    bot: FakeBot, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.say(f"send a.bin to {BOB}")

    async def breaks(*_: object) -> Method:
        raise RuntimeError("a bug")

    bot.streams.send = breaks  # type: ignore[method-assign, assignment]  # a bug of ours
    said: list[str] = []
    for _ in range(attempt.MOST_TRIES):
        assert len(await bot.catalog.deliveries()) == 1
        said = await bot.come_online(BOBS)
        bot.now += attempt.LONGEST_PAUSE
    assert '"a.bin" could not be transferred' in said[-1]
    assert "a bug" in caplog.text
    assert await bot.catalog.deliveries() == []


async def test_for_a_link_nobodys_clients_are_asked(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(jid: str) -> tuple[Client, ...]:
        raise AssertionError(f"asks the clients of {jid}, which may take seconds")

    bot.uploads.away = False
    monkeypatch.setattr(bot.streams, "clients", asked)
    await bot.say("get a.bin")
    assert len(bot.sent) == 1


@pytest.mark.parametrize("limit", [None, 3])
async def test_a_link_that_is_alive_needs_no_service(bot: FakeBot, limit: int | None) -> None:
    bot.uploads.away = False
    await bot.say("get a.bin")
    bot.uploads.away, bot.uploads.limit_bytes = limit is None, limit
    bot.streams.online[ALICE] = (DESKTOP,)
    assert await bot.say("get a.bin") == []
    assert len({shown.url for shown in bot.sent}) == 1
    assert not bot.streams.received


async def test_trouble_with_one_parcel_holds_up_no_other(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.drop("b.bin", b"more")
    await bot.say(f"send a.bin to {BOB}")
    await bot.say(f"send b.bin to {BOB}")
    first, _ = await bot.catalog.deliveries()
    entry = bot.catalog.entry

    async def broken(entry_id: int) -> Entry | None:
        if entry_id == first.entry_id:
            raise CatalogUnavailable("busy")
        return await entry(entry_id)

    monkeypatch.setattr(bot.catalog, "entry", broken)
    await bot.come_online(BOBS)
    assert bot.streams.received == [(BOBS.jid, SOCKS5, b"more")]
    assert [each.number for each in await bot.catalog.deliveries()] == [first.number]
    monkeypatch.undo()
    bot.now += attempt.LONGEST_PAUSE
    await bot.come_online(BOBS)
    assert bot.streams.received[1:] == [(BOBS.jid, SOCKS5, b"content")]


async def test_trouble_with_one_parcel_keeps_no_other_from_being_given_up(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.drop("b.bin", b"more")
    await bot.say(f"send a.bin to {BOB}")
    await bot.say(f"send b.bin to {BOB}")
    first, _ = await bot.catalog.deliveries()
    remove = bot.catalog.remove_delivery

    async def broken(number: int) -> None:
        if number == first.number:
            raise CatalogUnavailable("busy")
        await remove(number)

    monkeypatch.setattr(bot.catalog, "remove_delivery", broken)
    said = await bot.pass_time(A_MONTH)
    assert [each.number for each in await bot.catalog.deliveries()] == [first.number]
    assert "b.bin" in said[-1]
