"""Names of any script, between a real client, a real server and the bot."""

from pathlib import Path

import pytest

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEBREW = "דוח 2024.pdf"


async def test_a_name_that_runs_from_right_to_left_is_isolated_and_found_as_shown(
    world: World, alice: Peer, tmp_path: Path
) -> None:
    (tmp_path / HEBREW).write_bytes(b"%PDF-1.4\n")
    address = world.server.jid("filebot")
    await alice.drop(tmp_path / HEBREW, address)
    stored = await alice.next_message(lambda heard: "2024" in heard.body and heard.url is None)
    # Servers may write what they do not like in a URL as they please, but none leaves the letters out.
    shown = stored.body.split("\u2068", 1)[1].split("\u2069", 1)[0]
    assert shown.startswith("דוח")
    alice.say(f"get \u2068{shown}\u2069", address)
    heard = await alice.next_message(lambda heard: heard.url is not None)
    assert await alice.download(heard.body) == b"%PDF-1.4\n"
