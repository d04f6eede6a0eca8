"""A real bot at ``--log-level debug``: no password, caption or file name gets into its log."""

from pathlib import Path
from xml.etree.ElementTree import SubElement

from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import OOB, Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.muc import configure

ROOM_PASSWORD = "swordfish-of-the-room"
CAPTION = "hush-this-is-the-caption"
NAME = "whispered-name.txt"


async def test_debugging_shows_no_password_caption_or_file_name(tmp_path: Path) -> None:
    photo = tmp_path / NAME
    photo.write_bytes(b"hush-these-are-the-bytes")
    async with private_server(tmp_path / "server", users=USERS) as server:
        config = write_config(tmp_path / "config.toml", bot_config(server))
        bot = BotProcess(config, log_level="debug")
        async with bot, await Peer.of(server, "alice") as alice:
            world = World(server, bot, tmp_path)
            room = f"closed@{server.conference}"
            await alice.join(room, "alice")
            await configure(alice, room, passwordprotectedroom="1", roomsecret=ROOM_PASSWORD)
            assert "I am in" in (await world.ask(alice, f"join {room} with {ROOM_PASSWORD}")).body
            url = await alice.upload(photo)
            message = alice.client.make_message(
                mto=JID(world.bot_jid), mbody=f"{CAPTION}\n{url}", mtype="chat"
            )
            oob = SubElement(message.xml, f"{{{OOB}}}x")
            SubElement(oob, f"{{{OOB}}}url").text = url
            message.send()
            assert "Stored" in (await alice.next_message(world.from_bot)).body
            for text in ("ls", f"find {CAPTION}", f"info {NAME}"):
                assert NAME in (await world.ask(alice, text)).body
            alice.say(f"get {NAME}", world.bot_jid)
            await alice.next_message(lambda heard: heard.url is not None)
        log = "\n".join(bot.log)
        for secret in (ROOM_PASSWORD, CAPTION, NAME, server.password("filebot"), "hush-these"):
            assert secret not in log
        assert "ready as" in log
        assert "SEND:" not in log
