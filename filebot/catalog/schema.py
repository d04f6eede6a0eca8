"""Tables of the catalog. Every change is a new file in ``migrations/versions``; a test compares them."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog.column_types import ID, UtcDateTime

metadata: Final = sa.MetaData()


def _where(condition: str) -> dict[str, Any]:
    """Return the options of an index of some rows."""
    return {f"{database}_where": sa.text(condition) for database in ("sqlite", "postgresql")}


_LONG_AGO: Final = sa.text("'1970-01-01 00:00:00'")

ADOPTED: Final[Mapping[str, str]] = {"opt_outs": "archive", "unwanted": "archive", "fillings": "archive"}
"""Tables that were the core's once, and the plugins whose migrations may change them. The core makes them,
and does nothing with their rows but to remove those of a room with it."""

REFUSALS: Final = frozenset({"opt_outs", "unwanted"})
"""Tables of what people refused, which outlive a purge: a no holds if the plugin is back."""

# Derived columns, all filled by ``mapping``:
#   scope        the scope as one text, so that a private and a room's list need one index between them;
#   mark         three characters that stand for the scope in the full-text index;
#   name_key,    folded texts: what is compared and searched.
#   caption_key
# Triggers keep ``attached_bytes``, the bytes of all attachments.
entries: Final = sa.Table(
    "entries",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("caption", sa.Text, nullable=False),
    sa.Column("caption_key", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("room", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("archived", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("brought_by", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("modified_at", UtcDateTime, nullable=False),
    sa.Column("attached_bytes", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("weight", sa.Integer, nullable=False, server_default=sa.text("100")),
    sa.Column("shared_by", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Index("ix_entries_scope_id", "scope", "id"),
    # PostgreSQL indexes no long texts: see ``postgresql/tables``.
    sa.Index("ix_entries_scope_name", "scope", "name_key", "id").ddl_if(dialect="sqlite"),
    sa.Index("ix_entries_digest", "digest"),
    sa.Index("ix_entries_owner", "owner", "digest", "weight", "size"),
    sa.Index("ix_entries_scope", "scope", "digest", "weight", "size"),
    sa.Index("ix_entries_brought_by", "brought_by", **_where("brought_by IS NOT NULL")),
    sqlite_autoincrement=True,  # an id is never used twice
)

# Sums over the entries of an ``owner``, of a ``scope``, or of ``all`` (with an empty key), the same bytes
# counted once. Those of owners and scopes count ``weight`` percent of an entry's bytes, or the largest
# weight of several entries with the same bytes. Triggers keep them, as every new file needs them; a sum of
# zero has no row.
sums: Final = sa.Table(
    "sums",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Column("used_bytes", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row for each name of a blob: only the newest upload is ever asked for.
links: Final = sa.Table(
    "links",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("name_key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index("ix_links_url", "url"),
)

people: Final = sa.Table(
    "people",
    metadata,
    sa.Column("jid", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column(
        "first_chosen_at", UtcDateTime, nullable=False, server_default=sa.text("'1970-01-01 00:00:00'")
    ),
)

# One row for each archive, replaced as a whole: a position and the ids ahead of it belong together.
positions: Final = sa.Table(
    "marks",
    metadata,
    sa.Column("archive", sa.Text, primary_key=True),
    sa.Column("last_id", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("ahead", sa.JSON, nullable=False),
)

# Messages whose files are gone when their entry is removed, or another's; see ``tombstones``. A message is
# known by a SHA-256 of its owner and name.
tombstones: Final = sa.Table(
    "tombstones",
    metadata,
    sa.Column("message", sa.Text, primary_key=True),
    sa.Column("archive", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("entry_id", ID, nullable=False),
    sa.Index("ix_tombstones_archive", "archive", "at"),
)

# Messages that brought or showed files, by hashes. The oldest are dropped first.
file_messages: Final = sa.Table(
    "file_messages",
    metadata,
    sa.Column("number", ID, primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("entry_id", sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.UniqueConstraint("key", "entry_id"),
    sa.Index("ix_file_messages_place", "place", "number"),
    sa.Index("ix_file_messages_entry_id", "entry_id"),  # for the removal of an entry
)

# Only components use this table. Rows are in the order of subscription; the oldest is dropped first.
subscriptions: Final = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("own", sa.Text, nullable=False),
    sa.UniqueConstraint("person", "own"),
)

# Messages with files to others, which may come back.
sent_files: Final = sa.Table(
    "sent_files",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("entry_id", ID, sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("is_room", sa.Boolean, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("sent_at", UtcDateTime, nullable=False),
    sa.Index("ix_sent_files_entry_id", "entry_id"),
    sa.Index("ix_sent_files_recipient", "recipient", "sent_at"),
    sa.Index("ix_sent_files_sent_at", "sent_at"),
)

# People who have shown which occupant they are, where a room hides their address.
proven_occupants: Final = sa.Table(
    "proven_occupants",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("occupant", sa.Text, nullable=False),
    sa.Column("proven_at", UtcDateTime, nullable=False),
    sa.Index("ix_proven_occupants_room", "room"),
    sa.Index("ix_proven_occupants_proven_at", "proven_at"),
)

# The number is that of the transfer and comes from outside. Nothing but the row tells after a crash that a
# file was on its way.
deliveries: Final = sa.Table(
    "parcels",
    metadata,
    sa.Column("number", ID, primary_key=True),
    sa.Column("entry_id", sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("method", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Index("ix_parcels_entry_id", "entry_id"),  # for the removal of an entry
)

# An empty plugin is the core. The rows of a plugin that is not loaded stay.
room_settings: Final = sa.Table(
    "room_settings",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("consent", sa.Boolean, nullable=False),
)

# JSON texts of plugins. ``entry_id`` is there for values of an entry, to go with it.
plugin_data: Final = sa.Table(
    "plugin_data",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("owner_kind", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("entry_id", sa.ForeignKey("entries.id", ondelete="CASCADE")),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Index("ix_plugin_data_size", "plugin", "size"),  # adds up without reading the values
    sa.Index("ix_plugin_data_key", "plugin", "owner_kind", "key", "owner"),
    sa.Index("ix_plugin_data_owner", "owner_kind", "owner"),
    sa.Index("ix_plugin_data_entry_id", "entry_id", **_where("entry_id IS NOT NULL")),
)

# Files that plugins derive from an entry, and that go with it. Two indexes begin with the digest: if one of
# them is damaged, the other still keeps the bytes.
attachments: Final = sa.Table(
    "attachments",
    metadata,
    sa.Column("entry_id", sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Index("ix_attachments_digest", "digest"),
    sa.Index("ix_attachments_digest_size", "digest", "size"),
)

# Bytes of attachments that are gone, until somebody has looked whether they are still needed. A trigger
# adds them: attachments go with their entries, whoever removes those.
freed_blobs: Final = sa.Table("freed_blobs", metadata, sa.Column("digest", sa.Text, primary_key=True))

# Tables that plugins made by migrations of their own.
plugin_tables: Final = sa.Table(
    "plugin_tables",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("plugin", sa.Text, nullable=False),
)

# Beside those of the config. Without ``invited_by`` those who run the bot want it there. A password is kept
# as it is: the room wants it so.
rooms: Final = sa.Table(
    "rooms",
    metadata,
    sa.Column("jid", sa.Text, primary_key=True),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("invited_by", sa.Text),
)

# Rooms whose files are not all released yet.
destroyed_rooms: Final = sa.Table(
    "destroyed_rooms",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
)

# Work of the plugins. The state is ``ready``, ``blocked`` (by an older job of its group) or ``dead``.
jobs: Final = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", ID, primary_key=True),
    sa.Column("plugin", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("run_at", UtcDateTime, nullable=False),
    sa.Column("job_key", sa.Text),
    sa.Column("job_group", sa.Text),
    sa.Column("deadline", UtcDateTime),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("worker", sa.Text),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("died_at", UtcDateTime),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("ix_jobs_due", "state", "run_at", "number"),
    sa.Index("ix_jobs_group", "plugin", "job_group", "number"),
    sa.Index("ix_jobs_key", "plugin", "job_key", unique=True, **_where("state <> 'dead'")),
    sa.Index("ix_jobs_claimed", "claimed_until", **_where("claimed_until IS NOT NULL")),
    sqlite_autoincrement=True,  # a claim of a job that is gone must not fit a later one
)

# Jobs that changes have brought and that are not in the table above yet, as JSON.
outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("number", ID, primary_key=True),
    sa.Column("jobs", sa.Text, nullable=False),
)

# Jobs and bytes of their payloads for each plugin that has any. Triggers keep them.
job_sums: Final = sa.Table(
    "job_sums",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("jobs", sa.Integer, nullable=False),
    sa.Column("used_bytes", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def unindexed(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Hide the column from the planner, which must not start from a condition on it."""
    return sa.func.coalesce(column, "")
