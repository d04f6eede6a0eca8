"""Conversations in private chats."""

from tests.conversations.person import Person, pdf, picture, text_file
from tests.conversations.stage import Stage


async def first_contact(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.adds_the_bot()
    await alice.says("hi")
    await alice.drops(picture(stage.folder, "beach.png", 48_000))
    await alice.types_the_hint(otherwise="get beach.png")
    await alice.says("thanks!", answers=0)
    await alice.says("help")
    await alice.says("help all")


async def ten_photos(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    photos = [picture(stage.folder, f"IMG_{n:04}.png", 40_000 + 1000 * n) for n in range(1, 11)]
    await alice.drops(*photos, until_said="IMG_0010|10 (files|photos)")
    await alice.says("ls")
    await alice.says("how much space do I have left?")
    await alice.says("get 2")
    await alice.says("delete *.png")
    await alice.says("no")


async def everyday_words(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.drops(
        pdf(stage.folder, "Annual report.pdf", 24_000),
        text_file(stage.folder, "notes.md", "# Notes\n\n* Bring the charger.\n"),
        picture(stage.folder, "beach.png", 48_000),
        until_said="beach.png",
    )
    await alice.says("can you show me my files?")
    await alice.says("send me the report")
    await alice.says("get 3")
    await alice.says("notes.md")
    await alice.says("do you have anything about beach")
    await alice.says("rename notes.md to shopping.md")
    await alice.says("delete the last one")
    await alice.says("yes")
    await alice.says("get last")
    await alice.says("whats the weather like")


async def in_chinese(stage: Stage) -> None:
    alice = await Person.of(stage, "alice", language="zh-CN")
    await alice.adds_the_bot()
    await alice.says("你好")
    await alice.drops(
        pdf(stage.folder, "年度报告.pdf", 24_000),
        picture(stage.folder, "海边.png", 48_000),
        until_said="海边",
    )
    await alice.says("看看我的文件")
    await alice.says("把年度报告发给我")
    await alice.says("下载海边")
    await alice.says("查找报告")
    await alice.says("把海边.png改名为夏天.png")
    await alice.says("是")
    await alice.says("还剩多少空间？")
    await alice.says("删除夏天.png")
    await alice.says("是")
    await alice.says("谢谢", answers=0)
    await alice.says("今天天气怎么样")


async def replies_and_second_thoughts(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await Person.of(stage, "bob")
    (beach,) = await alice.drops(picture(stage.folder, "beach.png", 48_000))
    stored = alice.heard_last()
    await alice.replies("info", stored)
    (plan,) = await alice.drops(pdf(stage.folder, "plan.pdf", 24_000))
    await alice.replies("get", beach)
    await alice.replies(f"send to bob@{stage.server.host}", plan, answers=3)
    await alice.replies("rename plan-2.pdf", plan)
    await alice.says("delete everything")
    await alice.reacts("👍", alice.heard_last())
    (secret,) = await alice.drops(text_file(stage.folder, "secret.txt", "Do not read this.\n"))
    await alice.retracts(secret)
    await alice.says("ls")


async def settings_and_transfers(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.drops(picture(stage.folder, "beach.png", 48_000))
    await alice.says("lang")
    await alice.says("lang zh")
    await alice.says("quota")
    await alice.says("语言 英文")
    await alice.says("quota")
    await alice.says(f"fetch {stage.web.url('poster.pdf')}")
    await alice.says(f"fetch {stage.web.url('film.mp4')}")
    await alice.says("transfers")
    number = alice.heard_last("film.mp4").body.partition(":")[0]
    await alice.says(f"cancel {number}", answers=2)
    await alice.says("transfers")
