"""Conversations in rooms, and about other people."""

from tests.conversations.person import Person, pdf, picture
from tests.conversations.stage import Stage
from tests.support.muc import configure


async def a_room(stage: Stage) -> None:
    bob = await Person.of(stage, "bob")
    await bob.enters("team")
    await configure(bob.peer, stage.address("team"), whois="anyone")
    alice = await Person.of(stage, "alice")
    await alice.enters("team")
    await bob.invites_the_bot("team")
    await bob.says("Good morning!", room="team", answers=0)
    await bob.says("filebot: hi", room="team")
    await alice.drops(picture(stage.folder, "beach.png", 48_000), room="team", answers=0)
    await alice.says("!keep", room="team")
    await bob.types_the_hint(room="team", otherwise="!get beach.png")
    await bob.says("filebot, what files are there?", room="team")
    await bob.says("!room", room="team")
    await bob.says("!room set archive on", room="team")
    await bob.says("!room set announce on", room="team")
    await alice.drops(pdf(stage.folder, "plan.pdf", 24_000), room="team", answers=0)
    await bob.waits_for_news("team", 40)
    await bob.types_the_hint(room="team", otherwise="!get plan.pdf")
    await alice.says("filebot: get the plan please", room="team")
    await alice.says("!delete beach.png", room="team")
    await bob.says("!rm plan.pdf", room="team")
    await bob.says(f"leave {stage.address('team')}")


async def aside_in_a_room(stage: Stage) -> None:
    bob = await Person.of(stage, "bob")
    await bob.enters("club")
    alice = await Person.of(stage, "alice")
    await alice.enters("club")
    await bob.invites_the_bot("club")
    await alice.says("hi", room="club", aside=True)
    await alice.drops(picture(stage.folder, "boat.png", 30_000), room="club", aside=True)
    await alice.drops(picture(stage.folder, "beach.png", 48_000), room="club", answers=0)
    await alice.says("keep", room="club", aside=True)
    await alice.says("ls", room="club", aside=True)
    await bob.says("get beach.png", room="club", aside=True)
    await alice.says("ls")
    await alice.says("claim", room="club", aside=True)
    await alice.types_the_hint(otherwise="claim")
    await alice.says("get beach.png")


async def sending(stage: Stage) -> None:
    alice = await Person.of(stage, "alice")
    await alice.drops(pdf(stage.folder, "plan.pdf", 24_000))
    await alice.says(f"send plan.pdf to bob@{stage.server.host}")
    stage.transcript.happens("bob comes online")
    async with stage.step(2, "bob comes online"):
        bob = await Person.of(stage, "bob")
    await bob.says("ls")
    await alice.says(f"send plan.pdf to bob@{stage.server.host}", answers=3)
    await alice.says("send plan.pdf to bob")
    await alice.says(f"send plan.pdf to nobody@{stage.server.host}", until_said="could not send")
    await bob.enters("club")
    await alice.enters("club")
    await bob.invites_the_bot("club")
    await alice.says(f"send plan.pdf to {stage.address('club')}")
    await alice.says(f"send plan.pdf to {stage.address('attic')}")


async def fifteen_lines(stage: Stage) -> None:
    bob = await Person.of(stage, "bob")
    await bob.enters("team")
    alice = await Person.of(stage, "alice")
    await alice.adds_the_bot()
    await alice.says("what can you do?")
    await alice.drops(
        picture(stage.folder, "DSC_0815.png", 48_000),
        pdf(stage.folder, "Offer for Bob.pdf", 24_000),
        until_said="Offer",
    )
    await alice.says("where is my offer?")
    await alice.says("send the offer to bob")
    await alice.says("yes")
    await alice.says(f"send Offer for Bob.pdf to bob@{stage.server.host}", answers=3)
    await alice.says("rename DSC_0815.png to boat.png")
    await alice.says("boat")
    await bob.invites_the_bot("team")
    await alice.enters("team")
    await alice.says(f"send boat.png to {stage.address('team')}")
    await alice.says("claim", room="team", aside=True)
    await alice.types_the_hint(otherwise="claim")
    await alice.says(f"send boat.png to {stage.address('team')}", answers=2)
    await bob.says("filebot: show me the boat", room="team")
    await alice.says("delete the offer")
    await alice.says("yes")
    await alice.says("list")
