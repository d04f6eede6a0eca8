"""Conversations about tags."""

from filebot.testing import BOB, ROOM, FakeBot, in_room
from tests.api1.examples import tags


async def test_a_file_is_tagged_found_and_untagged() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("report.pdf", b"1")
        await bot.drop("photo.jpg", b"2")
        assert await bot.say("tag report.pdf as Invoice 2026") == [
            '"report.pdf" has the tags 2026, invoice.'
        ]
        [said] = await bot.say("find tag:INVOICE")
        assert "report.pdf" in said
        assert "photo.jpg" not in said
        assert "report.pdf" in (await bot.say("find tag:invoice tag:2026 rep"))[0]
        assert "No file matches" in (await bot.say("find tag:invoice photo"))[0]
        assert await bot.say("untag report.pdf from 2026 none") == ['"report.pdf" has the tags invoice.']
        assert await bot.say("untag report.pdf from invoice") == [
            '"report.pdf" has no tags. To add some, type: tag report.pdf as WORDS'
        ]
        assert "No file matches" in (await bot.say("find tag:invoice"))[0]


async def test_a_caption_brings_tags() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("a.pdf", b"1", caption="for you #Tax #2026, see a#b")
        assert await bot.say("tags a.pdf") == ['"a.pdf" has the tags 2026, tax.']


async def test_a_file_in_a_message_is_tagged_in_a_reply() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("a.pdf", b"1", message_id="m1")
        assert await bot.say("tag as red", replying_to="m1") == ['"a.pdf" has the tags red.']


async def test_tags_have_a_bound() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("a.pdf", b"1")
        [said] = await bot.say("tag a.pdf as " + " ".join(map(str, range(21))))
        assert said.startswith("A file has 20 tags at most.")


async def test_others_neither_tag_nor_see_a_file() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("a.pdf", b"1", caption="#red")
        await bot.say(f"send a.pdf to {ROOM}")
        assert "No file matches" in (await bot.say("find tag:red", BOB))[0]
        assert await bot.say("tags a.pdf", in_room(BOB, "bob")) == [
            '"a.pdf" has no tags. To add some, type: !tag a.pdf as WORDS'
        ]
        assert "Only the file's owner" in (await bot.say("tag a.pdf as blue", in_room(BOB, "bob")))[0]


async def test_the_one_file_with_a_tag_is_named_by_it() -> None:
    async with FakeBot(tags.plugin) as bot:
        await bot.drop("a.pdf", b"1", caption="#red")
        await bot.say("rename tag:red b.pdf")
        await bot.say("get tag:red")
        assert bot.sent[-1].entry.name == "b.pdf"
        await bot.drop("c.pdf", b"2", caption="#red")
        assert "no file called" in (await bot.say("get tag:red"))[0]
