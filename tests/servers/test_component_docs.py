"""Settings in docs/operating/servers.md are those that the tests' servers use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filebot.config import load
from tests.servers import private_server

DOCUMENT = Path(__file__).parents[2] / "docs/operating/servers.md"
DOMAIN = "files.localhost"


def snippet(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def paths(yaml: str) -> Iterator[tuple[str, ...]]:
    """Yield each value after the keys that lead to it; parses only the YAML that the document uses."""
    above: list[tuple[int, str]] = []
    for line in yaml.splitlines():
        key, _, value = line.strip().removeprefix("-").partition(":")
        if not key:
            continue
        depth = len(line) - len(line.lstrip())
        above = [each for each in above if each[0] < depth]
        if value.strip():
            yield (*(name for _, name in above), key.strip('"'), value.strip().strip('"'))
        else:
            above.append((depth, key.strip('"')))


def in_config(tree: Any, path: tuple[str, ...]) -> bool:
    if isinstance(tree, list):
        return any(in_config(each, path) for each in tree)
    if len(path) == 1:
        return str(tree) == path[0]
    return isinstance(tree, dict) and path[0] in tree and in_config(tree[path[0]], path[1:])


async def test_the_settings_of_the_servers_are_those_that_the_tests_use(tmp_path: Path) -> None:
    async with private_server(tmp_path / "server", components=[DOMAIN]) as server:
        login = server.component(DOMAIN)
        own = {"example.org": "localhost", "change me": login.secret, "5347": str(login.port)}

        def as_here(text: str) -> str:
            for theirs, ours in own.items():
                text = text.replace(theirs, ours)
            return text

        if server.name == "Prosody":
            written = (server.folder / "prosody.cfg.lua").read_text()
            lines = {line.strip() for line in written.splitlines()}
            assert {line.strip() for line in as_here(snippet("lua")).splitlines() if line} <= lines
        else:
            written = json.loads((server.folder / "ejabberd.yml").read_text())
            wanted = list(paths(as_here(snippet("yaml"))))
            assert ("listen", "hosts", DOMAIN, "password", login.secret) in wanted
            assert [path for path in wanted if not in_config(written, path)] == []


def test_the_bots_settings_are_a_config(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    path.write_text(snippet("toml"))
    config = load(path, {})
    assert (config.xmpp.mode, config.xmpp.jid, config.xmpp.port) == ("component", "files.example.org", 5347)
    assert config.access.allow == ("*@example.org",)
