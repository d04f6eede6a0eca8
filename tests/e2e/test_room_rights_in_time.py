"""Rights in a room are checked when a command acts, not when it was given: on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import ROOM, World, bot_config
from tests.servers import private_server
from tests.support.held_web import HeldWeb, held_web, upload_service
from tests.support.muc import affiliate, configure, set_role
from tests.support.room import BotRoom

UPLOADS = "uploads.localhost"
CONTENT = b"what the room has decided" * 40


@dataclass(frozen=True)
class Meeting:
    """A room that Carol owns, with Bob and the bot in it, and a web that is slow when it should be."""

    world: World
    web: HeldWeb
    bob: Peer
    carol: Peer
    here: BotRoom

    async def bot_knows(self) -> None:
        """Wait until the bot has dealt with all that the room told before."""
        await self.here.ask_privately(self.carol, "ls")

    async def keep(self, name: str) -> None:
        """Carol posts a file, and it is the room's."""
        path = self.world.folder / name
        path.write_bytes(CONTENT)
        assert "Stored" in await self.here.keep(self.carol, path)


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    async with AsyncExitStack() as stack:
        server = private_server(
            tmp_path / "server",
            users=["bob", "carol", "filebot"],
            components=[UPLOADS],
            upload_limit_bytes=None,
        )
        await stack.enter_async_context(server)
        web = await stack.enter_async_context(held_web())
        await stack.enter_async_context(upload_service(server, UPLOADS, web))
        bob, carol = [
            await stack.enter_async_context(await Peer.of(server, user)) for user in ("bob", "carol")
        ]
        await carol.join(ROOM, "Carol")
        await configure(carol, ROOM, whois="anyone", moderatedroom="1")
        await bob.join(ROOM, "Bob")
        config = bot_config(server, limits={"idle_timeout": "20 s"})
        bot = BotProcess(write_config(tmp_path / "config.toml", config))
        await stack.enter_async_context(bot)
        await set_role(carol, ROOM, "filebot", "participant")
        await set_role(carol, ROOM, "Bob", "participant")
        yield Meeting(World(server, bot, tmp_path), web, bob, carol, BotRoom(ROOM))


async def test_who_is_no_member_any_more_when_the_upload_has_ended_is_not_given_the_file(
    meeting: Meeting,
) -> None:
    bob, here, web = meeting.bob, meeting.here, meeting.web
    await affiliate(meeting.carol, ROOM, "bob@localhost", "member")
    await meeting.keep("minutes.bin")
    assert "only members" in (await here.ask(meeting.carol, "!room set who-may-get members")).body
    web.hold()
    bob.say("get minutes.bin", here.bot)
    await web.reached()
    await affiliate(meeting.carol, ROOM, "bob@localhost", "none")
    await meeting.bot_knows()
    web.let_go()
    assert "Only its members can get" in (await here.heard(bob, "chat")).body
    assert not any(each.url for each in bob.messages if each.sender == here.bot)
    # It was uploaded all the same: a member gets it at once.
    meeting.carol.say("get minutes.bin", here.bot)
    assert await here.got(meeting.carol, "chat") == CONTENT


async def test_who_was_put_out_of_the_room_when_the_upload_has_ended_is_not_given_the_file_elsewhere(
    meeting: Meeting,
) -> None:
    bob, here, web = meeting.bob, meeting.here, meeting.web
    await meeting.keep("minutes.bin")
    number = (await here.ask(meeting.carol, "!ls")).body.split("#")[1].split()[0]
    web.hold()
    bob.say(f"get #{number}", meeting.world.bot_jid)
    await web.reached()
    await affiliate(meeting.carol, ROOM, "bob@localhost", "outcast")
    await meeting.bot_knows()
    web.let_go()
    assert "no file called" in (await bob.next_message(meeting.world.from_bot)).body
    assert not any(each.url for each in bob.messages if meeting.world.from_bot(each))


async def test_who_may_only_listen_when_the_download_has_ended_puts_nothing_into_the_room(
    meeting: Meeting,
) -> None:
    bob, here, web = meeting.bob, meeting.here, meeting.web
    path = meeting.world.folder / "leaflet.bin"
    path.write_bytes(CONTENT)
    await here.post(bob, path)
    web.hold()
    await here.say(bob, "!keep")
    await web.reached()
    await set_role(meeting.carol, ROOM, "Bob", "visitor")
    await meeting.bot_knows()
    web.let_go()
    assert "You are not allowed to post" in (await here.heard(bob, "groupchat")).body
    assert "no files yet" in (await here.ask(meeting.carol, "!ls")).body
    assert meeting.world.blobs() == []
