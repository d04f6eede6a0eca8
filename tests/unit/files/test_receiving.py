"""A file that broke off by one method and goes on by another, and those who would abuse it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest

from filebot.errors import (
    DigestMismatch,
    FileTooLarge,
    PeerGone,
    PeerProtocolError,
    Refused,
    SizeMismatch,
    TransferError,
    Unresumable,
)
from filebot.files.intake import Destination, IntakeResult
from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.files.transfers import Direction, Transfers
from filebot.model import Method, Offer, Sender
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.testing.xmpp import FakeStreamOffer
from tests.unit.files.conftest import ALICE, URL, Workbench, sha256, to

Make = Callable[..., Workbench]

CONTENT = bytes(range(250)) * 4
OTHER = CONTENT[::-1]
BREAK = 600
NAME = "report.pdf"


def sha1(content: bytes) -> bytes:
    return hashlib.sha1(content).digest()


def md5(content: bytes) -> bytes:
    return hashlib.md5(content).digest()


class Line:
    """One method by which a file comes, once or again; tells where each attempt began."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.offsets: list[int] = []

    async def send(
        self,
        content: bytes = CONTENT,
        *,
        breaks_at: int | None = None,
        destination: Destination = ALICE,
        name: str = NAME,
        size: int | None = None,
        proof: bytes | None = CONTENT,
    ) -> IntakeResult:
        """``proof`` is what the announced hash is made of; None: there is none."""
        raise NotImplementedError


class Http(Line):
    """A link with a hash beside it (XEP-0447)."""

    async def send(
        self,
        content: bytes = CONTENT,
        *,
        breaks_at: int | None = None,
        destination: Destination = ALICE,
        name: str = NAME,
        size: int | None = None,
        proof: bytes | None = CONTENT,
    ) -> IntakeResult:
        web = self.bench.web
        web.hosted[URL] = HostedFile(content, breaks_at=breaks_at)
        before = len(web.asked)
        offer = Offer((URL,), name, size or len(content), hashes=hashes_of("sha-256", proof))
        try:
            return await self.bench.intake.fetch(offer, destination)
        finally:
            self.offsets += [offset for _, offset in web.asked[before:]]


class Stream(Line):
    """A peer that sends by a stream, with some hash before or after the data."""

    def __init__(self, bench: Workbench, *, before: str = "", after: str = "", ranges: bool = True) -> None:
        super().__init__(bench)
        self._before = before
        self._after = after
        self._ranges = ranges

    async def send(
        self,
        content: bytes = CONTENT,
        *,
        breaks_at: int | None = None,
        destination: Destination = ALICE,
        name: str = NAME,
        size: int | None = None,
        proof: bytes | None = CONTENT,
    ) -> IntakeResult:
        offer = Offer(
            name=name,
            size=size or len(content),
            hashes=hashes_of(self._before, proof),
            hash_follows=bool(self._after),
        )
        stream = FakeStreamOffer(destination.owner, offer, content, self._ranges, breaks_at)
        stream.late_hashes = hashes_of(self._after, proof)
        try:
            return await self.bench.intake.take(stream, stream.offer, destination)
        finally:
            self.offsets += stream.offsets


def hashes_of(algorithm: str, content: bytes | None) -> Mapping[str, bytes]:
    functions = {"md5": md5, "sha-1": sha1, "sha-256": sha256}
    return {algorithm: functions[algorithm](content)} if algorithm and content is not None else {}


METHODS: dict[str, Callable[[Workbench], Line]] = {
    "http": Http,
    "si": lambda bench: Stream(bench, before="md5"),
    "jingle, hash before": lambda bench: Stream(bench, before="sha-256"),
    "jingle, hash after": lambda bench: Stream(bench, after="sha-1"),
}
"""Ways of transfer that support resumption."""

BEGINNINGS: dict[str, Callable[[Workbench], Line]] = METHODS | {
    "si without hash": Stream,
    "si without ranges": lambda bench: Stream(bench, ranges=False),
    "jingle without ranges": lambda bench: Stream(bench, after="sha-256", ranges=False),
}


async def broken_off(line: Line, **words: Any) -> None:
    with pytest.raises(TransferError):
        await line.send(breaks_at=BREAK, **words)


async def stored(bench: Workbench) -> list[bytes]:
    return list(bench.store.blobs.values())


# --- all pairs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", METHODS)
@pytest.mark.parametrize("first", BEGINNINGS)
async def test_what_broke_by_one_method_is_finished_by_any_other(
    workbench: Make, first: str, second: str
) -> None:
    bench = workbench()
    await broken_off(BEGINNINGS[first](bench))
    assert await bench.nothing_is_left()
    line = METHODS[second](bench)
    received = await line.send()
    assert line.offsets == [BREAK]
    assert received.entry.name == NAME
    assert await stored(bench) == [CONTENT]
    assert not bench.store.partials


async def test_a_file_may_break_as_often_as_it_likes(workbench: Make) -> None:
    bench = workbench()
    lines = [METHODS[each](bench) for each in METHODS]
    for place, line in enumerate(lines):
        with pytest.raises(PeerGone):
            await line.send(breaks_at=(place + 1) * 200)
    last = Http(bench)
    await last.send()
    assert last.offsets == [800]
    assert await stored(bench) == [CONTENT]


async def test_a_plain_link_that_broke_is_finished_by_a_stream(workbench: Make) -> None:
    """Most clients send nothing but a link: only its server tells how large the file is."""
    bench = workbench()
    bench.web.hosted[URL] = HostedFile(CONTENT, breaks_at=BREAK)
    with pytest.raises(PeerGone):
        await bench.intake.fetch(Offer((URL,)), ALICE)
    line = METHODS["jingle, hash after"](bench)
    await line.send()
    assert line.offsets == [BREAK]


async def test_the_second_link_goes_on_where_the_first_broke(workbench: Make) -> None:
    bench = workbench()
    other = "https://mirror.example/report.pdf"
    bench.web.hosted = {URL: HostedFile(CONTENT, breaks_at=BREAK), other: HostedFile(CONTENT)}
    offer = Offer((URL, other), NAME, len(CONTENT), hashes={"sha-256": sha256(CONTENT)})
    await bench.intake.fetch(offer, ALICE)
    assert bench.web.asked == [(URL, 0), (other, BREAK)]
    assert await stored(bench) == [CONTENT]


async def test_an_attempt_that_does_not_even_begin_loses_nothing(workbench: Make) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    gone = Offer(("https://gone.example/x",), NAME, len(CONTENT), hashes={"sha-256": sha256(CONTENT)})
    with pytest.raises(Refused):
        await bench.intake.fetch(gone, ALICE)
    line = Http(bench)
    await line.send()
    assert line.offsets == [BREAK]


async def test_an_attempt_that_comes_to_nothing_leaves_no_trace(workbench: Make) -> None:
    bench = workbench()
    with pytest.raises(Refused):
        await bench.intake.fetch(Offer(("https://gone.example/x",), NAME, len(CONTENT)), ALICE)
    assert not bench.store.partials


async def test_a_stream_that_ends_too_early_is_kept_like_one_that_breaks(workbench: Make) -> None:
    """A process that is killed closes its connections like one that has finished."""
    bench = workbench()
    stream = FakeStreamOffer("alice@example.org", Offer(name=NAME, size=len(CONTENT)), CONTENT)

    async def ends_early() -> Any:
        yield CONTENT[:BREAK]
        raise SizeMismatch(announced_bytes=len(CONTENT), received_bytes=BREAK)

    stream.chunks = ends_early  # type: ignore[method-assign]  # a peer that is killed
    with pytest.raises(SizeMismatch):
        await bench.intake.take(stream, stream.offer, ALICE)
    line = Http(bench)
    await line.send()
    assert line.offsets == [BREAK]


async def test_what_broke_after_its_last_byte_is_asked_for_one_byte_more(workbench: Make) -> None:
    """Asked for nothing, some servers and some clients answer with an error."""
    bench = workbench()
    for method in METHODS.values():
        with pytest.raises(PeerGone):
            await Http(bench).send(breaks_at=len(CONTENT))
        line = method(bench)
        await line.send()
        assert line.offsets == [len(CONTENT) - 1]
    assert await stored(bench) == [CONTENT]


async def test_progress_begins_where_the_file_does(workbench: Make) -> None:
    bench, now = workbench(), [0.0]
    await broken_off(Http(bench))
    transfers = Transfers(lambda: now[0])
    stream = FakeStreamOffer(
        "alice@example.org", Offer(name=NAME, size=1000, hashes={"md5": md5(CONTENT)}), CONTENT, True
    )
    sender = Sender(stream.sender.address, ALICE.owner)
    with transfers.running(sender, None, NAME, Direction.TO_BOT, Method.SOCKS5) as transfer:
        now[0] = 2.0
        await bench.intake.take(stream, stream.offer, ALICE, nullcontext(transfer))
        now[0] = 4.0
        assert transfer.bytes_per_s == 200  # 400 bytes came, not 1000
        assert transfer.progress.fraction == 1.0


@pytest.mark.parametrize("size", [None, len(CONTENT)])
async def test_a_link_whose_rest_would_prove_nothing_is_fetched_once_more(
    workbench: Make, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    bench = workbench()
    broken = HostedFile(OTHER, breaks_at=BREAK, recognizable=False)
    versions = iter([broken, HostedFile(CONTENT)])
    asked: list[bool] = []

    @asynccontextmanager
    async def get(url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[HostedFile]:
        asked.append(hashed)
        bench.web.hosted[url] = next(versions)
        async with MemoryWeb.get(bench.web, url, offset, hashed=hashed) as file:
            yield file

    monkeypatch.setattr(bench.web, "get", get)
    await bench.intake.fetch(Offer((URL,), size=size), ALICE)
    assert asked == [False, False]
    assert bench.web.asked == [(URL, 0), (URL, 0)]
    assert await stored(bench) == [CONTENT]
    assert not bench.store.partials


async def test_a_link_that_breaks_each_time_is_fetched_twice_and_no_more(workbench: Make) -> None:
    bench = workbench()
    bench.web.hosted[URL] = HostedFile(CONTENT, breaks_at=BREAK, recognizable=False)
    with pytest.raises(PeerGone):
        await bench.intake.fetch(Offer((URL,), NAME), ALICE)
    assert bench.web.asked == [(URL, 0), (URL, 0)]
    line = METHODS["si"](bench)
    await line.send()
    assert line.offsets == [BREAK]


async def test_where_a_hash_is_announced_the_link_is_told(workbench: Make) -> None:
    bench = workbench()
    bench.web.hosted[URL] = HostedFile(CONTENT, breaks_at=BREAK, recognizable=False)
    with pytest.raises(PeerGone) as caught:
        await bench.intake.fetch(Offer((URL,), NAME, hashes={"sha-256": sha256(CONTENT)}), ALICE)
    assert not isinstance(caught.value, Unresumable)
    assert bench.web.asked == [(URL, 0)]


# --- what is never joined ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["si without hash", "si without ranges", "jingle without ranges"])
async def test_without_proof_or_ranges_a_file_begins_anew(workbench: Make, method: str) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    line = BEGINNINGS[method](bench)
    await line.send(OTHER, proof=OTHER)
    assert line.offsets == [0]
    assert await stored(bench) == [OTHER]


@pytest.mark.parametrize(
    "words",
    [
        {"destination": to("bob@example.org")},
        {"destination": to("alice@example.org", "team@rooms.example")},
        {"name": "other.pdf"},
        {"content": CONTENT + b"x", "proof": CONTENT + b"x"},
    ],
    ids=["owner", "room", "name", "size"],
)
@pytest.mark.parametrize("method", METHODS)
async def test_bytes_of_another_file_are_not_gone_on_with(
    workbench: Make, method: str, words: dict[str, Any]
) -> None:
    bench = workbench(max_file_bytes=2000)
    await broken_off(Http(bench))
    line = METHODS[method](bench)
    await line.send(**words)
    assert line.offsets == [0]


@pytest.mark.parametrize("method", [each for each in METHODS if each != "http"])
async def test_another_file_of_the_same_name_and_size_is_found_out_and_begins_anew(
    workbench: Make, method: str
) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    line = METHODS[method](bench)
    with pytest.raises(DigestMismatch) as caught:
        await line.send(OTHER, proof=OTHER)
    assert caught.value.resumed
    assert await bench.nothing_is_left()
    assert not bench.store.partials
    await line.send(OTHER, proof=OTHER)
    assert line.offsets == [BREAK, 0]
    assert await stored(bench) == [OTHER]


async def test_another_file_behind_a_link_is_fetched_once_more_by_itself(workbench: Make) -> None:
    bench = workbench()
    await broken_off(METHODS["si"](bench))
    line = Http(bench)
    await line.send(OTHER, proof=OTHER)
    assert line.offsets == [BREAK, 0]
    assert await stored(bench) == [OTHER]


async def test_a_link_whose_file_is_shorter_than_what_is_there_is_fetched_from_its_beginning(
    workbench: Make,
) -> None:
    bench = workbench()
    await broken_off(METHODS["si"](bench))
    line = Http(bench)
    with pytest.raises(PeerProtocolError):
        await line.send(CONTENT[:100], size=len(CONTENT))
    assert line.offsets == [BREAK, 0]
    assert await bench.nothing_is_left()


async def test_a_wrong_hash_is_fetched_twice_and_no_more(workbench: Make) -> None:
    bench = workbench()
    await broken_off(METHODS["si"](bench))
    line = Http(bench)
    with pytest.raises(DigestMismatch) as caught:
        await line.send(proof=OTHER)
    assert not caught.value.resumed
    assert line.offsets == [BREAK, 0]
    assert await bench.nothing_is_left()
    assert not bench.store.partials


async def test_a_promised_hash_that_does_not_come_proves_nothing(workbench: Make) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    line = METHODS["jingle, hash after"](bench)
    with pytest.raises(DigestMismatch) as caught:
        await line.send(proof=None)
    assert (caught.value.resumed, caught.value.algorithm) == (True, "")
    assert await bench.nothing_is_left()
    await line.send(proof=None)  # in one piece it is not missed
    assert line.offsets == [BREAK, 0]
    assert await stored(bench) == [CONTENT]


async def test_a_late_hash_that_cannot_be_checked_proves_nothing(workbench: Make) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    for resumed in (True, False):
        offer = Offer(name=NAME, size=len(CONTENT), hash_follows=True)
        stream = FakeStreamOffer("alice@example.org", offer, CONTENT, True)
        stream.late_hashes = {"sha3-512": hashlib.sha3_512(CONTENT).digest(), "unheard-of": b"x"}
        if resumed:
            with pytest.raises(DigestMismatch):
                await bench.intake.take(stream, stream.offer, ALICE)
        else:
            await bench.intake.take(stream, stream.offer, ALICE)
    assert await stored(bench) == [CONTENT]


@pytest.mark.conformance(47)
@pytest.mark.parametrize("algorithm", ["sha-1", "sha-256"])
async def test_every_late_hash_is_checked_resumed_or_not(workbench: Make, algorithm: str) -> None:
    bench = workbench()
    both = {"sha-1": sha1(CONTENT), "sha-256": sha256(CONTENT)}
    stream = FakeStreamOffer("alice@example.org", Offer(name=NAME, size=1000, hash_follows=True), CONTENT)
    stream.late_hashes = both | {algorithm: b"\0" * len(both[algorithm])}
    with pytest.raises(DigestMismatch) as caught:
        await bench.intake.take(stream, stream.offer, ALICE)
    assert (caught.value.algorithm, caught.value.resumed) == (algorithm, False)
    assert await bench.nothing_is_left()


async def test_more_bytes_than_announced_are_not_kept(workbench: Make) -> None:
    bench = workbench(max_file_bytes=2000)
    await broken_off(Http(bench))
    line = METHODS["si"](bench)
    with pytest.raises(SizeMismatch):
        await line.send(CONTENT + b"x", size=len(CONTENT))
    assert await bench.nothing_is_left()
    assert not bench.store.partials


async def test_a_size_over_the_limit_is_refused_before_anything_is_looked_for(workbench: Make) -> None:
    bench = workbench(max_file_bytes=500)
    stream = FakeStreamOffer("alice@example.org", Offer(name=NAME, size=1000), CONTENT)
    with pytest.raises(FileTooLarge):
        await bench.intake.take(stream, stream.offer, ALICE)
    assert stream.offsets == []


async def test_two_offers_of_the_same_file_at_once_do_not_meet(workbench: Make) -> None:
    bench = workbench()
    await broken_off(Http(bench))
    begun, go_on = asyncio.Event(), asyncio.Event()
    offer = Offer(name=NAME, size=len(CONTENT), hashes={"md5": md5(CONTENT)})
    slow = FakeStreamOffer("alice@example.org", offer, CONTENT, True)

    async def stands_still() -> Any:
        begun.set()
        await go_on.wait()
        yield CONTENT[BREAK:]

    slow.chunks = stands_still  # type: ignore[method-assign]  # a peer that takes its time
    first = asyncio.create_task(bench.intake.take(slow, slow.offer, ALICE))
    await begun.wait()
    line = Http(bench)
    second = await line.send()
    go_on.set()
    assert (slow.offsets, line.offsets) == ([BREAK], [0])
    assert (await first).entry == second.entry
    assert await stored(bench) == [CONTENT]
    assert not bench.store.partials


@pytest.mark.parametrize("method", BEGINNINGS)
async def test_of_those_whom_only_a_room_tells_apart_nothing_is_kept(workbench: Make, method: str) -> None:
    """Its service makes them up, and what is kept counts in no quota but its owner's."""
    room = "team@rooms.example"
    bench = workbench()
    for number in range(10):
        made_up = to(f"{room}/occupant{number}", room)
        await broken_off(BEGINNINGS[method](bench), destination=made_up)
    assert not bench.store.partials
    line = Http(bench)
    await line.send(destination=to(f"{room}/occupant0", room))
    assert line.offsets == [0]


async def test_who_has_many_files_break_keeps_no_more_than_could_be_stored(workbench: Make) -> None:
    bench = workbench(quota_per_user_bytes=FILE_OVERHEAD_BYTES + 2000)
    for number in range(10):
        await broken_off(Http(bench), name=f"{number}.pdf")
    await broken_off(Http(bench), destination=to("bob@example.org"))
    kept = sum(map(len, bench.store.partials.values()))
    assert kept <= 2000 + 2 * BREAK  # the last one of each is not stored yet
    line = Http(bench)
    await line.send(name="9.pdf")
    assert line.offsets == [BREAK]  # the newest is there
