"""Catalogs that a bot of this version cannot use, told by looking."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from filebot.catalog.database import migrate
from filebot.catalog.sqlite.examination import RESTORE, unusable
from filebot.config import Config
from filebot.errors import ConfigError
from filebot.preflight import prepared

LOSES_ITS_VERSION = "DELETE FROM alembic_version"


def changed(path: Path, statement: str) -> Path:
    """A catalog of this version, but for one change."""
    migrate(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    return path


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (LOSES_ITS_VERSION, f"does not tell its version; {RESTORE}"),
        ("DROP TABLE alembic_version", f"is the database of another program; {RESTORE}"),
        ("UPDATE alembic_version SET version_num = '9999'", "is of a newer filebot (version 9999); "),
    ],
)
def test_a_catalog_without_a_known_version_is_told_with_the_remedy(
    tmp_path: Path, statement: str, words: str
) -> None:
    assert str(unusable(changed(tmp_path / "catalog.sqlite", statement))).startswith(words)


def test_a_catalog_of_this_version_is_usable(tmp_path: Path) -> None:
    assert unusable(changed(tmp_path / "catalog.sqlite", "SELECT 1")) is None


def test_a_catalog_that_lost_its_version_stops_the_start_with_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    path = changed(data / "catalog.sqlite", LOSES_ITS_VERSION)
    config = Config.model_validate({"data_dir": data, "xmpp": {"jid": "bot@example.org", "password": "x"}})
    with pytest.raises(ConfigError) as caught:
        prepared(config)
    assert caught.value.mistakes == (f"data_dir: {path} does not tell its version; {RESTORE}",)
