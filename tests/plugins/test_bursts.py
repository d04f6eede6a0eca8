"""Many files at once are answered as one, soon, truly, and so that each can be had back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from filebot.model import Address, IncomingMessage, MessageRef, Offer, Sender
from filebot.plugin.gathered_replies import BurstTimes
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.http import HostedFile
from filebot.testing.messenger import Said
from tests.support.virtual_time import in_virtual_time

PHONE = Sender(Address(f"{ALICE}/phone"), ALICE)
TIMES = BurstTimes()


@asynccontextmanager
async def bot_in_real_bursts(*, corrects: bool) -> AsyncIterator[FakeBot]:
    """Run a bot with the times of a real one."""
    async with FakeBot(burst_times=TIMES) as bot:
        bot.messenger.corrections = corrects
        yield bot


def said(bot: FakeBot) -> list[Said]:
    return [each for each in bot.messenger.sent if isinstance(each, Said)]


async def drop_all(bot: FakeBot, names: Sequence[str], *, every_s: float, by: Sender = PHONE) -> None:
    """Drop files, each as a message of its own, without waiting for the answers."""

    async def drop(number: int, name: str) -> None:
        await asyncio.sleep(number * every_s)
        await bot.drop(name, name.encode(), by)

    await asyncio.gather(*(drop(number, name) for number, name in enumerate(names)))


PHOTOS = [f"{number}.jpg" for number in range(1, 16)]


@pytest.mark.parametrize("every_s", [0.0, 0.3, 2.0, 4.5])
@in_virtual_time
async def test_fifteen_photos_have_one_answer_that_is_corrected(every_s: float) -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await drop_all(bot, PHOTOS, every_s=every_s)
        first, *corrections = said(bot)
    assert first.text.startswith('Stored "')
    assert first.replaces is None
    assert corrections
    assert {each.replaces for each in corrections} == {"0"}
    last = corrections[-1].text
    assert last.startswith("Stored 15 files, ")
    assert all(f'"{name}"' in last for name in PHOTOS)
    assert last.endswith("To see them, type: ls")


@in_virtual_time
async def test_the_first_answer_comes_at_once_and_no_correction_before_its_file_is_stored() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        began = asyncio.get_running_loop().time()
        dropping = asyncio.create_task(drop_all(bot, PHOTOS[:3], every_s=4.0))
        await asyncio.sleep(0.1)
        assert [each.text[:14] for each in said(bot)] == ['Stored "1.jpg"']
        assert asyncio.get_running_loop().time() - began < 0.2
        await asyncio.sleep(3.8)
        assert len(said(bot)) == 1
        await asyncio.sleep(1.0)
        assert said(bot)[-1].text.startswith("Stored 2 files")
        await dropping
        assert said(bot)[-1].text.startswith("Stored 3 files")


@pytest.mark.parametrize("every_s", [0.0, 0.3, 1.5])
@in_virtual_time
async def test_who_sees_no_corrections_has_one_more_message_at_the_end(every_s: float) -> None:
    async with bot_in_real_bursts(corrects=False) as bot:
        await drop_all(bot, PHOTOS[:12], every_s=every_s)
        first, second = said(bot)
    assert first.text.startswith('Stored "')
    assert (first.replaces, second.replaces) == (None, None)
    assert second.text.startswith("Stored 11 files, ")


@in_virtual_time
async def test_a_file_long_after_another_is_answered_as_a_single_one() -> None:
    for corrects in (True, False):
        async with bot_in_real_bursts(corrects=corrects) as bot:
            await drop_all(bot, PHOTOS[:3], every_s=TIMES.joins_s + 1)
            assert [each.text[:14] for each in said(bot)] == [f'Stored "{n}.jpg"' for n in (1, 2, 3)]
            assert all(each.replaces is None for each in said(bot))


@in_virtual_time
async def test_slower_files_still_belong_to_a_burst_that_began_quickly() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await drop_all(bot, PHOTOS[:2], every_s=1.0)
        await drop_all(bot, PHOTOS[2:], every_s=TIMES.goes_on_s - 1)
        assert {each.replaces for each in said(bot)[1:]} == {"0"}
        assert said(bot)[-1].text.startswith("Stored 15 files, ")
        await asyncio.sleep(TIMES.goes_on_s + 1)
        await bot.drop("later.jpg", b"later", PHONE)
        assert said(bot)[-1].text.startswith('Stored "later.jpg"')
        assert said(bot)[-1].replaces is None


@in_virtual_time
async def test_after_words_the_next_file_is_answered_below_them() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await bot.drop("1.jpg", b"1", PHONE)
        await bot.say("ls", PHONE)
        await bot.drop("2.jpg", b"2", PHONE)
        assert said(bot)[-1].text.startswith('Stored "2.jpg"')
        assert said(bot)[-1].replaces is None


@in_virtual_time
async def test_failures_in_a_burst_are_named_one_by_one_with_their_causes() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        files = {"1.jpg": b"1", "empty.jpg": b"", "big.jpg": b"x" * 1_000_001, "2.jpg": b"2", "3.jpg": b"1"}
        await asyncio.gather(*(bot.drop(name, content, PHONE) for name, content in files.items()))
        texts = [each.text for each in said(bot)]
        stored = [each for each in texts if each.startswith("Stored")][-1]
        first, second = sorted(each for each in texts if not each.startswith("Stored"))
    assert "Stored 2 files, " in stored
    assert "I already had " in stored
    assert "To get them back, type: get #" in stored
    assert first.startswith('"big.jpg" is too large')
    assert '"empty.jpg" is empty' in second


@in_virtual_time
async def test_a_refusal_in_a_burst_is_a_message_of_its_own() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await drop_all(bot, PHOTOS[:3], every_s=0.1)
        await bot.drop("empty.jpg", b"", PHONE)
        assert '"empty.jpg" is empty' in said(bot)[-1].text
        assert said(bot)[-1].replaces is None
        await bot.drop("4.jpg", b"4", PHONE)
        assert said(bot)[-1].replaces == "0"
        assert said(bot)[-1].text.startswith("Stored 4 files")


@in_virtual_time
async def test_later_refusals_stand_below_what_was_said_since() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await bot.drop("empty.jpg", b"", PHONE)
        await bot.drop("1.jpg", b"1", PHONE)
        empty = [f"empty{number}.jpg" for number in range(5)]
        await asyncio.gather(*(bot.drop(name, b"", PHONE) for name in empty))
        first, stored, rest = said(bot)
    assert '"empty.jpg" is empty' in first.text
    assert 'Stored "1.jpg"' in stored.text
    assert rest.replaces is None
    assert all(f'"{name}"' in rest.text for name in empty)


@pytest.mark.parametrize("corrects", [True, False])
@in_virtual_time
async def test_a_reply_to_the_answer_means_all_of_its_files(corrects: bool) -> None:
    async with bot_in_real_bursts(corrects=corrects) as bot:
        await drop_all(bot, PHOTOS[:5], every_s=0.1)
        last = len(bot.messenger.sent) - 1
        names = PHOTOS[:5] if corrects else PHOTOS[1:5]
        for message_id in {"0", str(last)} if corrects else {str(last)}:
            before = len(bot.sent)
            await bot.say("get", PHONE, replying_to=message_id)
            assert [each.entry.name for each in bot.sent[before:]] == names


@in_virtual_time
async def test_what_the_answer_says_to_type_does_it() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        await drop_all(bot, PHOTOS[:3], every_s=0.1)
        hint = said(bot)[-1].text.splitlines()[-1].partition("type: ")[2]
        await bot.say(hint, PHONE)
        assert [each.entry.name for each in bot.sent] == PHOTOS[:3]


@in_virtual_time
async def test_a_very_long_burst_has_several_answers_each_with_its_files() -> None:
    names = [f"{number:03}.jpg" for number in range(70)]
    async with bot_in_real_bursts(corrects=True) as bot:
        await drop_all(bot, names, every_s=0.2)
        finals = [each for each in said(bot) if each.replaces is None]
        heard = "\n".join(each.text for each in said(bot))
    assert len(finals) <= 5
    assert [name for name in names if f'"{name}"' not in heard] == []


@in_virtual_time
async def test_bursts_of_two_people_and_of_two_places_are_apart() -> None:
    bob = Sender(Address(f"{BOB}/phone"), BOB)
    async with bot_in_real_bursts(corrects=True) as bot:
        await asyncio.gather(
            drop_all(bot, PHOTOS[:3], every_s=0.1),
            drop_all(bot, PHOTOS[3:6], every_s=0.1, by=bob),
        )
        for person, names in ((PHONE, PHOTOS[:3]), (bob, PHOTOS[3:6])):
            [*_, last] = bot.messenger.texts(person.address.jid)
            assert last.startswith("Stored 3 files")
            assert all(f'"{name}"' in last for name in names)


@in_virtual_time
async def test_a_room_hears_of_a_burst_once_at_once_and_once_at_the_end() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        urls = [f"https://files.example.org/{name}" for name in PHOTOS[:6]]
        for url in urls:
            bot.web.hosted[url] = HostedFile(url.encode())
        speaker = replace(in_room(), message_ref=MessageRef(f"{ROOM}/alice", "id"))
        offers = tuple(Offer(urls=(url,)) for url in urls)
        await bot.receive(IncomingMessage(speaker, "", offers, addressed=False))
        heard = await bot.say("keep", in_room())
    assert [each.splitlines()[0][:14] for each in heard] == ['Stored "1.jpg"', "Stored 5 files"]
    assert "type: !get #" in heard[1]


@in_virtual_time
async def test_a_correction_that_cannot_be_sent_is_a_message_of_its_own() -> None:
    async with bot_in_real_bursts(corrects=True) as bot:
        say = bot.messenger.say

        async def offline(to: Address, text: str, **how: object) -> str:
            if how.get("replaces"):
                return str(how["replaces"])  # as the messenger does without a connection
            return await say(to, text, **how)  # type: ignore[arg-type]

        bot.messenger.say = offline  # type: ignore[method-assign]
        await drop_all(bot, PHOTOS[:4], every_s=0.1)
        assert [each.text.splitlines()[0][:14] for each in said(bot)] == [
            'Stored "1.jpg"',
            "Stored 3 files",
        ]


@in_virtual_time
async def test_a_cut_off_handler_leaves_the_answer_to_the_others() -> None:
    async with bot_in_real_bursts(corrects=False) as bot:
        await bot.drop("1.jpg", b"1", PHONE)
        dropping = [
            asyncio.create_task(bot.drop(name, name.encode(), PHONE))
            for name in ("2.jpg", "3.jpg", "4.jpg")
        ]
        await asyncio.sleep(0.5)
        dropping[0].cancel()
        await asyncio.gather(*dropping, return_exceptions=True)
        assert said(bot)[-1].text.startswith("Stored 3 files")
