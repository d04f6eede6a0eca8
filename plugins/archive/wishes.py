"""Wishes of people about the archives of rooms: who wants nothing kept, and which bytes came from them."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from filebot.plugin import Context, Entry, IncomingMessage, RoomSetting, Sender, UserError

from .tables import opt_outs, unwanted

MOST_OPT_OUTS: Final = 5000
"""In one room; after these, only those of people whose address counts are noted there."""
MOST_UNWANTED: Final = 10_000
"""Digests that are remembered of one room; the oldest are forgotten."""


class TooManyOptOuts(UserError):
    """No more people of a room can opt out of its archive."""

    template = "archive/too_many_opt_outs"


async def keep(
    ctx: Context[Any],
    post: IncomingMessage,
    number: int,
    under: RoomSetting[bool],
    *,
    from_history: bool = False,
) -> bool:
    """Keep a file of a post, if its poster agrees; return whether it is new here.

    Raises whatever ``ctx.files.keep_unasked`` raises.
    """
    room, people = post.sender.room or "", _identities(post.sender)

    async def wanted(sha256: str | None) -> bool:
        return not await ctx.db.read(lambda db: _objected(db, room, people, sha256))

    result = await ctx.files.keep_unasked(
        post, number, under=under, wanted=wanted, from_history=from_history
    )
    return result is not None and not result.already_known


async def opt_out(ctx: Context[Any]) -> int:
    """Keep nothing of the sender's in this room, and remove what was kept; return how many files.

    Raises NotAllowed if the room does not tell its occupants apart, TooManyOptOuts (then files of theirs
    are still kept), or StorageError.
    """
    room, people = ctx.sender.room or "", _identities(ctx.sender)
    # It is always noted of somebody whom the room cannot have made up.
    most = None if ctx.sender.jid is not None else MOST_OPT_OUTS
    if not await ctx.db.write(lambda db: _note_opt_out(db, room, people, most), urgent=True):
        raise TooManyOptOuts
    removed = 0
    while entries := await ctx.files.kept_unasked():
        # Noted first, so that no copy of them is kept, either.
        await ctx.db.write(lambda db: _note_unwanted(db, room, entries), urgent=True)
        for entry in entries:
            await ctx.files.remove_unasked(entry)
        removed += len(entries)
    return removed


async def opt_in(ctx: Context[Any]) -> None:
    """Undo :func:`opt_out` for what is posted from now on. Raises StorageError."""
    room, people = ctx.sender.room or "", _identities(ctx.sender)
    await ctx.db.write(lambda db: _forget(db, room, people))


def _identities(sender: Sender) -> frozenset[str]:
    """Return all by whom somebody's wish holds, also by a claim of the room that does not count."""
    claimed = frozenset() if sender.claimed is None else frozenset({sender.claimed})
    return sender.identities | claimed


def _objected(db: Any, room: str, people: Collection[str], digest: str | None) -> bool:
    out = sa.exists().where(opt_outs.c.room == room, opt_outs.c.person.in_(people))
    theirs = sa.exists().where(unwanted.c.room == room, unwanted.c.digest == digest)
    return bool(db.scalar(sa.select(out if digest is None else sa.or_(out, theirs))))


def _note_opt_out(db: Any, room: str, people: Collection[str], most: int | None) -> bool:
    """Note an opt-out, if there is room for it; return whether it is noted."""
    known = sa.select(sa.func.count()).select_from(opt_outs).where(opt_outs.c.room == room)
    if most is not None and db.scalar(known) + len(people) > most:
        return _objected(db, room, people, None)
    rows = [{"room": room, "person": each} for each in sorted(people)]
    db.execute(insert(opt_outs).on_conflict_do_nothing(), rows)
    return True


def _note_unwanted(db: Any, room: str, entries: Sequence[Entry]) -> None:
    rows = [{"room": room, "digest": each.blob.digest, "person": each.owner} for each in entries]
    db.execute(insert(unwanted).on_conflict_do_nothing(), rows)
    row = sa.literal_column("unwanted.rowid", sa.Integer)
    last_to_go = (
        sa.select(row).where(unwanted.c.room == room).order_by(row.desc()).offset(MOST_UNWANTED).limit(1)
    )
    db.execute(sa.delete(unwanted).where(unwanted.c.room == room, row <= last_to_go.scalar_subquery()))


def _forget(db: Any, room: str, people: Collection[str]) -> None:
    for table in (opt_outs, unwanted):
        db.execute(sa.delete(table).where(table.c.room == room, table.c.person.in_(people)))
