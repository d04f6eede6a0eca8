"""Tables of the room archives. They were the core's once, and have kept their names."""

from typing import Final

import sqlalchemy as sa

_metadata: Final = sa.MetaData()

# People of whom a room's archive keeps nothing.
opt_outs: Final = sa.Table(
    "opt_outs",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
)

# Bytes that such people posted there: copies by others are not kept, either.
unwanted: Final = sa.Table(
    "unwanted",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
)

# One row for each room whose history is being gone through. The moments are in UTC, without a zone; `turn`
# is the number of the job that goes on with it.
imports: Final = sa.Table(
    "fillings",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("address_kind", sa.Text, nullable=False),
    sa.Column("occupant", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("until", sa.DateTime, nullable=False),
    sa.Column("last_id", sa.Text, nullable=False),
    sa.Column("messages", sa.Integer, nullable=False),
    sa.Column("kept", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
)
