"""A scanner that an installed package brings, on a real server: what it finds is not kept, by any way."""

import hashlib
from pathlib import Path

import pytest

from filebot.localserver.botprocess import write_config
from filebot.model import Method, Negotiation, StreamMethod
from filebot.testing.contracts.scanner import EICAR
from tests.e2e.conftest import bot_config, world_in
from tests.e2e.test_cascade import online
from tests.e2e.test_checks import nothing_is_left, send
from tests.support.command_line import filebot
from tests.support.manual import example_with

ROOT = Path(__file__).parents[2]


def install(site: Path) -> None:
    """Install the manual's scanner, and one that cannot be imported."""
    package = site / "hashes-1.0.dist-info"
    package.mkdir(parents=True)
    (site / "filebot_hashes.py").write_text(example_with("class HashScanner"))
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: hashes\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[filebot.scanners]\nhashes = filebot_hashes:hashes\nbroken = no_such_module:scanner\n"
    )


async def test_a_file_that_an_installed_scanner_knows_is_refused_and_a_broken_one_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{ROOT}")
    names = tmp_path / "hashes.txt"
    names.write_text(f"{hashlib.sha256(EICAR).hexdigest()} Eicar test\n")
    bad, good = tmp_path / "bad.com", tmp_path / "good.txt"
    bad.write_bytes(EICAR)
    good.write_bytes(b"harmless")
    async with world_in(tmp_path / "world", files={"scanners": [f"hashes:{names}"]}) as world:
        async with await world.login("alice") as alice, online(world.server, "bob") as bob:
            await alice.drop(bad, world.bot_jid)
            words = 'I do not keep "bad.com": a scanner found Eicar test in it.'
            assert (await alice.next_message(world.from_bot)).body == words
            await bob.befriend()
            await send(bob, bad, StreamMethod(Negotiation.SI, Method.SOCKS5))
            await bob.said("a scanner found Eicar test in it")
            assert nothing_is_left(world)
            await alice.drop(good, world.bot_jid)
            assert 'Stored "good.txt"' in (await alice.next_message(world.from_bot)).body
            assert world.keeps(good)
        code, said = await filebot("check", "--config", str(world.bot.config))
        assert code == 0, said
        assert "hashes let pass what is harmless" in said
        tables = bot_config(world.server, files={"scanners": ["broken:"]})
        broken = write_config(tmp_path / "broken.toml", tables)
        for command in ("run", "check"):
            code, said = await filebot(command, "--config", str(broken))
            assert code == 2
            assert "files.scanners: scanner broken (no_such_module:scanner) cannot be used" in said
