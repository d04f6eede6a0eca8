"""Files go out: to their owner, to a friend, into a room."""

from typing import NoReturn

import pytest

from filebot.errors import TransferError
from filebot.model import Address, AddressKind, Entry, Scope, Sender
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.messenger import Said


@pytest.mark.parametrize("wanted", ["report.pdf", "REPORT.PDF", "#1", "1", "rep", "*.pdf", "r?port.*"])
async def test_get_finds_a_file_by_whatever_people_type(bot: FakeBot, wanted: str) -> None:
    await bot.drop("report.pdf", b"1234")
    assert await bot.say(f"Get {wanted}") == []
    [shown] = bot.sent
    assert (shown.to.jid, shown.entry.name) == (ALICE, "report.pdf")
    assert bot.web.hosted[shown.url].content == b"1234"


async def test_get_of_no_such_name_suggests_the_nearest(bot: FakeBot) -> None:
    await bot.drop("report.pdf", b"1")
    [said] = await bot.say("get reprot.pdf")
    assert said.startswith("Did you mean: get report.pdf?")
    assert await bot.say("yes") == []
    assert [each.entry.name for each in bot.sent] == ["report.pdf"]


async def test_an_ambiguous_beginning_names_the_candidates(bot: FakeBot) -> None:
    await bot.drop("report.pdf", b"1")
    await bot.drop("reply.txt", b"2")
    [said] = await bot.say("get rep")
    assert "report.pdf" in said
    assert "reply.txt" in said
    assert not bot.sent


async def test_of_two_files_with_one_name_the_newest_is_meant(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"old")
    await bot.drop("a.txt", b"new")
    await bot.say("get a.txt")
    assert bot.web.hosted[bot.sent[0].url].content == b"new"


async def test_a_wildcard_sends_all_that_fit_but_not_too_many(bot: FakeBot) -> None:
    for number in range(11):
        await bot.drop(f"{number}.txt", str(number).encode())
    assert await bot.say("get *.txt") == ['More than 10 files match "*.txt". Type more of the name.']
    assert not bot.sent
    await bot.say("get 1*.txt")
    assert {shown.entry.name for shown in bot.sent} == {"1.txt", "10.txt"}


async def test_a_file_comes_to_the_client_in_which_it_was_asked_for(bot: FakeBot) -> None:
    phone = Sender(Address(f"{ALICE}/phone"), ALICE)
    await bot.drop("a.txt", b"1")
    assert await bot.say("get a.txt", phone) == []
    [shown] = bot.sent
    assert shown.to == phone.address
    # To oneself is nothing else than here, whatever client it is.
    assert "from" not in "".join(await bot.say(f"send a.txt to {ALICE}", phone))
    assert bot.sent[1].to.jid == ALICE


async def test_get_goes_on_after_a_refusal_and_names_each_file_that_did_not_come(bot: FakeBot) -> None:
    for name, size in (("a.txt", 10), ("b.txt", 5_000), ("c.txt", 6_000), ("d.txt", 20)):
        await bot.drop(name, name.encode() * size)
    bot.uploads.limit_bytes = 10_000
    said = await bot.say("get *.txt by http")
    assert {shown.entry.name for shown in bot.sent} == {"a.txt", "d.txt"}
    assert len(said) == 2  # the names, and one cause
    assert said[0].splitlines()[0] == "2 of 4 files were not sent:"
    assert "b.txt" in said[0]
    assert "c.txt" in said[0]
    assert "a.txt" not in said[0]
    assert "10 kB" in said[1]


async def test_a_single_file_that_cannot_be_sent_is_answered_in_one_message(bot: FakeBot) -> None:
    await bot.drop("b.txt", b"b" * 20_000)
    bot.uploads.limit_bytes = 10_000
    assert len(await bot.say("get b.* by http")) == 1


async def test_a_link_that_is_alive_is_used_again(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say("get a.txt")
    await bot.say("get a.txt")
    assert len(bot.uploads.slots) == 1
    bot.web.hosted.pop(bot.sent[0].url)
    await bot.say("get a.txt")
    assert len(bot.uploads.slots) == 2
    assert bot.sent[2].url != bot.sent[0].url


async def test_a_file_too_large_for_the_service_is_answered_with_both_numbers(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"x" * 20_000)
    bot.uploads.limit_bytes = 10_000
    [said] = await bot.say("get a.bin")
    assert "20 kB" in said
    assert "10 kB" in said


async def test_without_an_upload_service_the_answer_says_so(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"x")
    bot.uploads.away = True
    assert "upload" in (await bot.say("get a.bin"))[0]


async def test_send_brings_a_file_to_a_friend_who_is_told_from_whom(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    said = await bot.say(f"send a.txt to {BOB}")
    assert said == [f'Sent "a.txt" to "{BOB}".', f'"a.txt" is from "{ALICE}".']
    assert [shown.to.jid for shown in bot.sent] == [BOB]


@pytest.mark.parametrize(
    "target", ["stranger@elsewhere.example", "mallory@example.org", "not-an-address", "x@y@z", "@", ""]
)
async def test_send_reaches_nobody_who_is_not_served(bot: FakeBot, target: str) -> None:
    await bot.drop("a.txt", b"1")
    assert await bot.say(f"send a.txt to {target}")
    assert not bot.sent


async def test_send_posts_into_a_room_and_makes_the_file_the_rooms(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say(f"send a.txt to {ROOM}")
    assert [shown.to.jid for shown in bot.sent] == [ROOM]
    assert "a.txt" in (await bot.say("ls", in_room(BOB, "bob")))[0]
    await bot.say("get a.txt", in_room(BOB, "bob"))
    assert len(bot.sent) == 2


async def test_a_file_is_the_rooms_when_the_room_first_hears_of_it(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.drop("a.txt", b"1")
    counted = []

    async def send_file(to: Address, entry: Entry, url: str) -> str:
        counted.append(await bot.catalog.count(Scope(room=to.jid)))
        return ""

    monkeypatch.setattr(bot.messenger, "send_file", send_file)
    await bot.say(f"send a.txt to {ROOM}")
    assert counted == [1]


async def test_send_into_a_room_needs_the_sender_to_be_there(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1", "carol@example.org")
    assert "Sent" not in (await bot.say(f"send a.txt to {ROOM}", "carol@example.org"))[0]
    assert not bot.sent


async def test_who_asks_for_a_private_file_in_the_room_gets_it_alone(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    assert await bot.say("get a.txt", in_room()) == []
    assert [shown.to.jid for shown in bot.sent] == [f"{ROOM}/alice"]
    assert await bot.catalog.count(Scope(room=ROOM)) == 0
    await bot.say(f"send a.txt to {ROOM}", in_room())
    assert bot.sent[-1].to.jid == ROOM
    assert await bot.catalog.count(Scope(room=ROOM)) == 1


async def test_send_takes_a_pattern_as_get_does(bot: FakeBot) -> None:
    for name in ("a.pdf", "b.pdf", "c.txt"):
        await bot.drop(name, name.encode())
    await bot.say(f"send *.pdf to {BOB}")
    assert sorted(shown.entry.name for shown in bot.sent) == ["a.pdf", "b.pdf"]


async def test_a_room_sees_nothing_private_of_its_members(bot: FakeBot) -> None:
    await bot.drop("secret plan.pdf", b"1")
    for command in ("ls", "find secret", "get secret pla", "get s*", "get secert plan.pdf"):
        said = "\n".join(await bot.say(command, in_room()))
        assert "secret plan.pdf" not in said
    assert not bot.sent


async def test_a_room_reads_no_name_of_a_private_file_that_was_called_by_its_number(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> NoReturn:
        raise TransferError("down")

    await bot.drop("secret plan.pdf", b"1")
    await bot.drop("secret budget.pdf", b"2")
    before = len(bot.messenger.sent)
    await bot.say(f"send #1 to {BOB}", in_room())
    monkeypatch.setattr(bot.uploads, "slot", refuse)
    for command in ("get #1", "get #1 #2", f"send #1 to {BOB}", f"send #2 to {BOB}"):
        await bot.say(command, in_room())
    bot.store.blobs.clear()
    await bot.say("get #1", in_room())
    said = bot.messenger.sent[before:]
    assert not [each for each in said if each.to.jid == ROOM]
    assert [each for each in said if isinstance(each, Said) and "secret" in each.text]


async def test_a_hidden_occupant_reads_the_rooms_files_and_no_more(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say(f"send a.txt to {ROOM}")
    ghost = in_room(None, "ghost")
    await bot.say("get a.txt", ghost)
    assert len(bot.sent) == 2
    for command in ("rm a.txt", "rename a.txt b.txt", f"send a.txt to {BOB}", "quota"):
        assert "hides your address" in (await bot.say(command, ghost))[0]
    assert len(bot.sent) == 2


async def test_a_private_message_through_the_room_is_answered_privately(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say(f"send a.txt to {ROOM}")
    await bot.say("get a.txt", through_room(BOB, "bob"))
    assert bot.sent[-1].to.jid == f"{ROOM}/bob"
    await bot.say("ls", through_room(BOB, "bob"))
    assert bot.messenger.sent[-1].to.jid == f"{ROOM}/bob"


async def test_a_caption_follows_its_file_as_a_message_of_its_own(bot: FakeBot) -> None:
    await bot.drop("plan.txt", b"plan", caption="the plan for *May*")
    said = await bot.say("get plan.txt")
    assert said == ['"plan.txt": the plan for *May*']
    assert [type(each).__name__ for each in bot.messenger.sent[-2:]] == ["FileShown", "Said"]
    await bot.drop("bare.txt", b"bare")
    assert await bot.say("get bare.txt") == []


async def test_where_the_bot_may_only_listen_it_answers_aside_and_posts_nothing(bot: FakeBot) -> None:
    bot.rooms.mute.add(ROOM)
    await bot.drop("plan.txt", b"plan", ALICE)
    (refused,) = await bot.say(f"send plan.txt to {ROOM}", ALICE)
    assert refused.startswith("I am not allowed to post")
    await bot.say("ls", in_room(ALICE))
    last = bot.messenger.sent[-1]
    assert isinstance(last, Said)
    assert last.to.kind is AddressKind.ROOM_PRIVATE


async def test_what_a_room_may_not_see_goes_to_the_asker_alone(bot: FakeBot) -> None:
    other = "other@conference.example.org"
    bot.rooms.occupants[other] = frozenset({ALICE, BOB})
    await bot.drop("theirs.txt", b"1", BOB)
    await bot.say(f"send theirs.txt to {other}", BOB)
    private, shared = await bot.catalog.page(Scope(owner=BOB), limit=9), bot.sent[-1].entry
    assert shared.id == private[0].id
    [there] = await bot.catalog.page(Scope(room=other), limit=9)
    assert await bot.say(f"get #{there.id}", in_room()) == []
    assert bot.sent[-1].to == Address(f"{ROOM}/alice", AddressKind.ROOM_PRIVATE, ALICE)
    assert [each.entry.id for each in bot.sent if each.to.jid == ROOM] == []
    assert await bot.catalog.count(Scope(room=ROOM)) == 0
    # Nobody learns of what is somebody else's alone, nor the room of what it may not see.
    for command in (f"get #{private[0].id}", f"info #{there.id}", f"rm #{there.id}"):
        assert "theirs.txt" not in "".join(await bot.say(command, in_room()))
    assert await bot.catalog.entry(there.id) is not None


@pytest.mark.parametrize("words", ["a.txt d.txt", "#1 #2", '"a.txt" d.txt', "A.TXT 2", '"a.txt" "d.txt"'])
async def test_several_files_are_asked_for_by_their_names(bot: FakeBot, words: str) -> None:
    for name in ("a.txt", "d.txt"):
        await bot.drop(name, name.encode())
    assert await bot.say(f"get {words}") == []
    assert [shown.entry.name for shown in bot.sent] == ["a.txt", "d.txt"]


async def test_of_several_names_each_that_is_refused_or_unknown_is_named(bot: FakeBot) -> None:
    for name, size in (("a.txt", 10), ("b.txt", 5_000), ("c.txt", 20)):
        await bot.drop(name, name.encode() * size)
    bot.uploads.limit_bytes = 10_000
    said = await bot.say("get a.txt b.txt gone.txt c.txt")
    assert {shown.entry.name for shown in bot.sent} == {"a.txt", "c.txt"}
    assert any("gone.txt" in each for each in said)
    assert any("b.txt" in each for each in said)


async def test_words_of_one_name_that_does_not_exist_are_not_taken_for_names(bot: FakeBot) -> None:
    await bot.drop("report.pdf", b"1")
    [said] = await bot.say("get annual report.pdf")
    assert said.startswith('I have no file called "annual report.pdf".')
    assert bot.sent == []


async def test_one_file_with_blanks_in_its_name_is_no_list(bot: FakeBot) -> None:
    for name in ("a.txt", "d.txt", "a.txt d.txt"):
        await bot.drop(name, name.encode())
    await bot.say("get a.txt d.txt")
    assert [shown.entry.name for shown in bot.sent] == ["a.txt d.txt"]


async def test_a_room_is_told_who_sent_it_a_file_from_a_private_chat(bot: FakeBot) -> None:
    await bot.drop("beach.png", b"sand")
    await bot.say(f"send beach.png to {ROOM}")
    assert '"beach.png" is from "alice".' in bot.messenger.texts(ROOM)


async def test_a_room_is_told_who_shared_what_somebody_else_gets(bot: FakeBot) -> None:
    await bot.drop("beach.png", b"sand", caption="the sea")
    await bot.say(f"send beach.png to {ROOM}")
    assert bot.messenger.texts(ROOM) == ['"beach.png", from "alice": the sea']
    await bot.say("get beach.png", in_room(BOB, "bob"))
    assert bot.messenger.texts(ROOM)[1:] == ['"beach.png", from "alice": the sea']
    await bot.say("get beach.png", in_room(ALICE, "alice"))
    assert bot.messenger.texts(ROOM)[2:] == ['"beach.png": the sea']
