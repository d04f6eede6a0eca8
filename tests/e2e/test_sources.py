"""A source of bytes that an installed package brings: `fetch` takes URLs of its scheme."""

from pathlib import Path

import pytest

from tests.e2e.conftest import world_in
from tests.unit.backends.test_sources import rows_server

ROOT = Path(__file__).parents[2]


async def test_fetch_takes_a_url_of_an_installed_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "rows-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: rows\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[filebot.sources]\nrows = tests.support.rows_source:RowsSource\n"
        "broken = tests.support.rows_source:broken\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}:{ROOT}")
    async with rows_server(b"abc" * 100_000) as base, world_in(tmp_path / "world") as world:
        assert "cannot be used: LookupError: no such library" in "\n".join(world.bot.log)
        async with await world.login("alice") as alice:
            said = await world.ask(alice, f"fetch {base}/a.txt")
            assert said.body.startswith("Stored"), said.body
            assert "a.txt" in (await world.ask(alice, "ls")).body
