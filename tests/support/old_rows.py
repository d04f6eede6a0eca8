"""Rows of catalogs of earlier versions, written by hand as a filebot of that day would have written them.

Each table has rows of which each column is given; a column that a version does not have is left out of them
there. Nothing here is read from today's code: the rows are of their day, and stay as they are.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.old_catalogs import image_of, make_catalog, put, tables

TEAM: Final = "team@conference.example.org"
"""Room with every setting."""
CLUB: Final = "club@conference.example.org"
"""Room with no setting, where files are kept all the same."""
FAR: Final = "far@muc.example.net"
"""Room that the bot is not in, with an archive whose history is being gone through."""
ALICE: Final = "alice@example.org"
BOB: Final = "bob@example.org"
HIDDEN: Final = f"{TEAM}/occupant-7"
"""Somebody whom only the room tells apart."""

REPORT, PHOTO, MINUTES = "1" * 64, "2" * 64, "3" * 64

Row = Mapping[str, Any]

TRIGGERED: Final = frozenset({"sums", "totals", "job_sums"})
"""Tables that triggers fill, as they do the full-text index."""

ROWS: Final[Mapping[str, Sequence[Row]]] = {
    "entries": [
        {
            "id": 3,
            "name": "Report.pdf",
            "name_key": "report.pdf",
            "caption": "of the quarter",
            "caption_key": "of the quarter",
            "owner": ALICE,
            "room": None,
            "scope": f"owner:{ALICE}",
            "mark": "\uebc2\ue3d5\uf869",
            "digest": REPORT,
            "size": 5_000_000_000,
            "media_type": "application/pdf",
            "width": None,
            "height": None,
            "archived": 0,
            "brought_by": None,
            "created_at": "2026-01-02 03:04:05.000006",
            "modified_at": "2026-01-03 03:04:05.000006",
        },
        {
            "id": 4,
            "name": "Report.pdf",
            "name_key": "report.pdf",
            "caption": "",
            "caption_key": "",
            "owner": ALICE,
            "room": TEAM,
            "scope": f"room:{TEAM}",
            "mark": "\uf8ae\uf587\ueb56",
            "digest": REPORT,
            "size": 5_000_000_000,
            "media_type": "application/pdf",
            "width": None,
            "height": None,
            "archived": 0,
            "brought_by": None,
            "created_at": "2026-02-02 03:04:05.000006",
            "modified_at": "2026-02-02 03:04:05.000006",
        },
        {
            "id": 9,
            "name": "照片.jpg",
            "name_key": "照片.jpg",
            "caption": "Straße",
            "caption_key": "strasse",
            "owner": BOB,
            "room": TEAM,
            "scope": f"room:{TEAM}",
            "mark": "\uf8ae\uf587\ueb56",
            "digest": PHOTO,
            "size": 70_000,
            "media_type": "image/jpeg",
            "width": 640,
            "height": 480,
            "archived": 1,
            "brought_by": "message-1",
            "created_at": "2026-11-20 10:00:00.000000",
            "modified_at": "2026-11-20 10:00:00.000000",
        },
        {
            "id": 10,
            "name": "minutes.txt",
            "name_key": "minutes.txt",
            "caption": "",
            "caption_key": "",
            "owner": HIDDEN,
            "room": TEAM,
            "scope": f"room:{TEAM}",
            "mark": "\uf8ae\uf587\ueb56",
            "digest": MINUTES,
            "size": 10,
            "media_type": "text/plain",
            "width": None,
            "height": None,
            "archived": 0,
            "brought_by": "message-2",
            "created_at": "2026-11-21 10:00:00.000000",
            "modified_at": "2026-11-21 10:00:00.000000",
        },
    ],
    "links": [
        {
            "digest": REPORT,
            "name_key": "report.pdf",
            "name": "Report.pdf",
            "url": "https://upload.example.org/1/Report.pdf",
            "created_at": "2026-02-02 03:04:05.000006",
        },
        {
            "digest": PHOTO,
            "name_key": "照片.jpg",
            "name": "照片.jpg",
            "url": "https://upload.example.org/2/%E7%85%A7.jpg",
            "created_at": "2026-11-20 10:00:00.000000",
        },
    ],
    "people": [{"jid": ALICE, "language": "en"}, {"jid": HIDDEN, "language": "zh_CN"}],
    "parcels": [
        {
            "number": 12,
            "entry_id": 3,
            "asker": ALICE,
            "recipient": BOB,
            "language": "zh_CN",
            "method": "ibb",
            "created_at": "2026-11-22 10:00:00.000000",
            "tries": 2,
        },
        {
            "number": 13,
            "entry_id": 9,
            "asker": BOB,
            "recipient": ALICE,
            "language": None,
            "method": None,
            "created_at": "2026-11-22 11:00:00.000000",
            "tries": 0,
        },
    ],
    "rooms": [
        {"jid": TEAM, "password": "hunter2", "invited_by": None},
        {"jid": FAR, "password": "", "invited_by": ALICE},
    ],
    "opt_outs": [{"room": TEAM, "person": HIDDEN}, {"room": CLUB, "person": ALICE}],
    "unwanted": [{"room": TEAM, "digest": MINUTES, "person": HIDDEN}],
    "room_settings": [
        {
            "room": TEAM,
            "archive": 1,
            "announce": 1,
            "members_only": 1,
            "max_size": 20_000_000,
            "retention_days": 3_650,
        },
        {
            "room": CLUB,
            "archive": 0,
            "announce": 0,
            "members_only": 0,
            "max_size": None,
            "retention_days": None,
        },
        {
            "room": FAR,
            "archive": 1,
            "announce": 0,
            "members_only": 0,
            "max_size": None,
            "retention_days": None,
        },
    ],
    "fillings": [
        {
            "room": FAR,
            "asker": ALICE,
            "address": FAR,
            "address_kind": "room",
            "occupant": None,
            "language": "en",
            "since": "2026-10-01 00:00:00.000000",
            "until": "2026-11-01 00:00:00.000000",
            "last_id": "archive-99",
            "messages": 50,
            "kept": 3,
            "failed": 1,
        }
    ],
    "marks": [
        {
            "archive": "filebot@example.org",
            "last_id": "m-1",
            "at": "2026-11-22 12:00:00.000000",
            "ahead": "[]",
        },
        {"archive": TEAM, "last_id": "m-2", "at": "2026-11-22 12:00:00.000000", "ahead": '["m-4", "m-7"]'},
    ],
    "subscriptions": [{"id": 5, "person": ALICE, "own": "filebot.example.org"}],
}


def make_old_catalog(path: Path, version: str) -> dict[str, list[Row]]:
    """Make a catalog of this version with its rows; return these by table.

    Fails if a table of that version has no rows here, or a column no value.
    """
    image, rows = _made(version)
    put(path, image)
    return {table: [*each] for table, each in rows.items()}


@cache
def _made(version: str) -> tuple[bytes, Mapping[str, Sequence[Row]]]:
    rows = dict[str, list[Row]]()

    def make(path: Path) -> None:
        make_catalog(path, version)
        with closing(sqlite3.connect(path)) as connection, connection:
            names = {name for name in tables(connection) if not name.startswith("entries_fts")} - TRIGGERED
            missing = names - ROWS.keys()
            assert not missing, f"tests/support/old_rows.py has no rows of {missing} as of {version}"
            rows.update({name: list(_put(connection, name)) for name in sorted(names)})

    return image_of(make), rows


def _put(connection: sqlite3.Connection, table: str) -> Iterator[Row]:
    columns = [column for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")]
    for row in ROWS[table]:
        kept = {column: row[column] for column in columns}
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", [*kept.values()])
        yield kept
