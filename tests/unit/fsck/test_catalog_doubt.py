"""Catalogs with which the bot would not start, as ``check`` tells of them."""

import shutil
from pathlib import Path

import pytest

from filebot import app
from filebot.config import Config
from filebot.data_folder import CATALOG
from filebot.errors import ConfigError
from filebot.fsck.catalog_doubt import catalog_doubt
from tests.unit.test_data_folder import fill, lose

HELP = "Nothing was changed; to see what can be done: filebot fsck"


def damage_pages(catalog: Path) -> None:
    """Leave the header and the list of tables whole, and overwrite most of the rest."""
    content = bytearray(catalog.read_bytes())
    content[3 * 4096 : 30 * 4096] = b"\x55" * (27 * 4096)
    catalog.write_bytes(content)


async def test_a_good_catalog_is_not_doubted(tmp_path: Path) -> None:
    assert catalog_doubt(tmp_path) is None
    await fill(tmp_path, 3)
    assert catalog_doubt(tmp_path) is None


async def test_a_missing_catalog_beside_files_is_told(tmp_path: Path) -> None:
    await fill(tmp_path, 3)
    lose(tmp_path)
    assert catalog_doubt(tmp_path) == (
        f"{tmp_path} has files, but {CATALOG}, which says whose they are, is missing or empty. {HELP}"
    )


async def test_a_catalog_that_knows_too_few_files_is_told(tmp_path: Path) -> None:
    await fill(tmp_path, 2)
    older = tmp_path / "older"
    shutil.copy(tmp_path / CATALOG, older)
    await fill(tmp_path, 30, first=2)
    lose(tmp_path)
    older.rename(tmp_path / CATALOG)
    assert catalog_doubt(tmp_path) == (
        f"{tmp_path / CATALOG} does not know 30 of 32 files there; "
        f"it may be an older copy, or damaged. {HELP}"
    )


async def test_damage_inside_of_the_catalog_is_told_and_stops_the_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    await fill(data, 3)
    damage_pages(data / CATALOG)
    doubt = catalog_doubt(data)
    assert doubt is not None
    assert doubt.startswith(f"{data / CATALOG} is damaged: ")
    assert doubt.endswith("; restore data_dir from a backup, or ask filebot fsck")
    config = Config.model_validate({"data_dir": data, "xmpp": {"jid": "bot@example.org", "password": "x"}})
    with pytest.raises(ConfigError, match=r"^data_dir: .* is damaged: .*; restore data_dir from a backup"):
        await app.run(config, lambda: config)
