"""Tell a room which files are new, if its admins want that (`room set announce on`)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from filebot.plugin import (
    Address,
    AddressKind,
    Context,
    Entry,
    FileAutoArchived,
    FileStored,
    Plugin,
    RoomFilesAdded,
    RoomJoined,
    Sender,
)

from .gathering import Gathering

KEY = "gathering"
"""Key of what is kept for each room."""
NAMED = 5
"""Files of one announcement that are named; the others are counted."""
LONGEST_WAIT = timedelta(days=1)
"""Files that are stored for longer are no news: the plugin was disabled, or the bot was out of the room."""

plugin = Plugin[None](
    "announce",
    api=1,
    needs={"files.rooms", "rooms", "store", "jobs", "people", "events"},
    package=__name__,
)

wanted = plugin.room_setting("announce", bool, default=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of a room that are announced together."""

    room: str
    number: int


class OutOfRoom(Exception):
    """The bot is out of the room just now; the job is tried again."""


@plugin.on(FileStored, durable=True, where=wanted)
async def stored(ctx: Context[None], event: FileStored) -> None:
    """Unless the answer was for everybody in the room."""
    if not event.already_known and not event.sender.in_public:
        await gather(ctx, event.entry)


@plugin.on(FileAutoArchived, durable=True, where=wanted)
async def archived(ctx: Context[None], event: FileAutoArchived) -> None:
    """Unless it was posted long ago: whoever wants the history to be gone through is told of that."""
    if not event.from_history:
        await gather(ctx, event.entry)


@plugin.on(RoomJoined, durable=True)
async def came_back(ctx: Context[None], event: RoomJoined) -> None:
    """Tell what was to be told while the bot was out of the room."""
    gathering = Gathering.read(await ctx.store.room(event.room).get(KEY))
    if gathering.ids and gathering.due_at is None:
        last = Batch(event.room, gathering.batch - 1)
        await ctx.jobs.cancel(key_of(last))  # it waits longer after each try
        await ctx.jobs.add("announce", last, key=key_of(last))


async def gather(ctx: Context[None], entry: Entry) -> None:
    """Note a new file of a room, and see to it that the room is told."""
    room, now = entry.room, ctx.now.timestamp()
    if room is None or not wants(ctx, room) or not is_news(ctx, entry):
        return
    if not await ctx.room_files(room).with_ids([entry.id]):
        return  # somebody else may have made the room anew by now
    kept = await ctx.store.room(room).change(
        KEY, lambda kept: Gathering.read(kept).plus(entry.id, now).kept()
    )
    gathering = Gathering.read(kept)
    batch = Batch(room, gathering.batch)
    after = timedelta(seconds=gathering.wait_s(now))
    await ctx.jobs.add("announce", batch, key=key_of(batch), after=after)


@plugin.job("announce")
async def announce(ctx: Context[None], batch: Batch) -> None:
    """One message for some files. After a failure the files that came meanwhile are in it, too."""
    room, now = batch.room, ctx.now.timestamp()
    store = ctx.store.room(room)
    if not wants(ctx, room):
        await store.delete(KEY)
        return
    gathering = Gathering.read(
        await store.change(KEY, lambda kept: Gathering.read(kept).closed(batch.number, now).kept())
    )
    entries = [each for each in await ctx.room_files(room).with_ids(gathering.ids) if is_news(ctx, each)]
    if entries and not ctx.rooms.is_in(room):
        raise OutOfRoom(room)
    if entries and wants(ctx, room):  # its admins may have changed their mind
        everybody = Address(room, AddressKind.ROOM)
        count = len(entries) + gathering.more
        event = RoomFilesAdded(Sender(everybody, None, room), None, tuple(entries[:NAMED]), count)
        await ctx.tell(everybody, "announce/new", event=event)
        await store.change(KEY, lambda kept: Gathering.read(kept).without(gathering).kept())
        await ctx.emit(event)
    else:
        await store.change(KEY, lambda kept: Gathering.read(kept).without(gathering).kept())


def is_news(ctx: Context[None], entry: Entry) -> bool:
    """Tell whether a file is so new that a room may hear of it."""
    return ctx.now - entry.created_at < LONGEST_WAIT


def wants(ctx: Context[None], room: str) -> bool:
    """Tell whether a room wants to hear of new files, and everybody in it may."""
    return ctx.rooms.setting(wanted, room) and not ctx.rooms.is_members_only(room)


def key_of(batch: Batch) -> str:
    """Return the key of the job that announces a batch."""
    room = hashlib.sha256(batch.room.encode()).hexdigest()  # addresses may be longer than keys
    return f"{room} {batch.number}"
