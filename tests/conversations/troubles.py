"""Conversations in which something cannot be done."""

from tests.conversations.person import Person, pdf, picture, text_file
from tests.conversations.stage import Stage


async def refusals(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.drops(pdf(stage.folder, "thesis.pdf", 250_000))
    await alice.drops(picture(stage.folder, "beach.png", 90_000))
    await alice.drops(picture(stage.folder, "boat.png", 80_000))
    await alice.drops(text_file(stage.folder, "empty.txt", ""))
    await alice.says("get baech.png")
    await alice.says("get holiday.mp4")
    await alice.says(f"fetch {stage.web.url('gone.pdf')}")
    await alice.says(f"fetch {stage.web.url('private.pdf')}")
    await alice.says(f"fetch {stage.web.closed_url('poster.pdf')}")
    await alice.says(f"fetch {stage.web.url('silent.pdf')}")
    await alice.says("rename beach.png")
    await alice.says("cancel 7")
    await alice.says("frobnicate")


async def strangers(stage: Stage) -> None:
    carol = await Person.of(stage, "carol")
    await carol.says("hi")
    await carol.drops(picture(stage.folder, "beach.png", 48_000), answers=0)
    await carol.says("ls", answers=0)


async def without_uploads(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.says("hi")
    await alice.says(f"fetch {stage.web.url('poster.pdf')}")
    await alice.says("get poster.pdf")
    await alice.says("transfers")
    await alice.says("get poster.pdf")
    await alice.says(f"send poster.pdf to bob@{stage.server.host}")
