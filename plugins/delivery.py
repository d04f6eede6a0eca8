"""Give files back: get brings one here, send takes one to somebody else or into a room."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from filebot.plugin import (
    Address,
    AddressKind,
    CommandGroup,
    Context,
    DeliveryAbandoned,
    DeliveryQueued,
    DeliveryStarted,
    Entries,
    Entry,
    Event,
    FilebotError,
    FileDelivered,
    Method,
    NoSuchEntry,
    NoUploadService,
    Permission,
    Plugin,
    read_phrases,
)

PHRASES = read_phrases(Path(__file__).parent / "phrases" / "delivery.toml")

plugin = Plugin[None]("delivery", api=1, needs={"files.read", "files.send", "people", "rooms"})

SLOW_S = 10.0
"""Expected duration from which a transfer is announced with its duration."""


@plugin.command(
    "get",
    usage=("get NAME by METHOD", "get NAME"),
    aliases=("download", "获取", "下载"),
    group=CommandGroup.SHARING,
    phrases=PHRASES["get"],
    changes=False,
)
async def get(ctx: Context[None], name: Entries, method: Method | None) -> None:
    """Get a file back, or several.

    NAME is a name or its beginning, a number such as #12, a pattern such as *.pdf, or several names or
    numbers with spaces between them. METHOD is http (a link), socks5 (directly) or ibb (over the chat
    connection, slow). If you leave it out, I choose.
    """
    await _send_each(ctx, name, lambda entry: _send_here(ctx, entry, method))
    if name.others:
        aside = name.entries[0].room != ctx.sender.room
        reply = ctx.reply_aside if aside else ctx.reply
        await reply("delivery/others", entry=name.entries[0], ids=name.others)


@plugin.command(
    "send",
    usage="send NAME to TARGET",
    aliases=("share", "发送", "分享"),
    permission=Permission.SERVED,
    group=CommandGroup.SHARING,
    phrases=PHRASES["send"],
)
async def send(ctx: Context[None], name: Entries, target: str) -> None:
    """Send a file to somebody, or into a room that we are both in. TARGET is the address."""
    await ctx.files.recipient(target)  # a wrong one is wrong once, not once for each file
    await _send_each(ctx, name, lambda entry: ctx.files.send_to(entry, target))


async def _send_here(ctx: Context[None], entry: Entry, method: Method | None) -> None:
    """Without links nothing goes into a room, but whoever is known there has another address."""
    try:
        await ctx.files.send_here(entry, method)
    except NoUploadService:
        if ctx.sender.room is None or ctx.sender.jid is None or method is not None:
            raise
        aside = ctx.sender.in_public and entry.room != ctx.sender.room
        await (ctx.reply_aside if aside else ctx.reply)("delivery/privately", entry=entry)
        await ctx.files.send_in_chat(entry)


async def _send_each(
    ctx: Context[None], selection: Entries, send_one: Callable[[Entry], Awaitable[object]]
) -> None:
    """Send files one by one: those that cannot be sent do not keep the others."""
    failed: list[tuple[Entry, FilebotError]] = []
    for entry in selection.entries:
        try:
            await send_one(entry)
        except FilebotError as error:
            failed.append((entry, error))
    for missing in selection.missing:
        await ctx.reply_error(NoSuchEntry(missing))
    count = len(selection.entries)
    # Whoever names a file of theirs by its number does not want the room to read its name.
    aside = ctx.sender.in_public and any(entry.room != ctx.sender.room for entry, _ in failed)
    if failed and count > 1:
        reply = ctx.reply_aside if aside else ctx.reply
        await reply("delivery/not_sent", entries=[entry for entry, _ in failed], count=count)
    # Each kind of cause once.
    causes = {(cause.kind, cause.template): (entry, cause) for entry, cause in reversed(failed)}
    for entry, cause in causes.values():
        await ctx.reply_error(cause, entry.name, aside=aside)


@plugin.on(DeliveryStarted)
async def say_why(ctx: Context[None], event: DeliveryStarted) -> None:
    """Before a client asks its person to accept something that is no link."""
    person = None if _is_here(event, event.to) else ctx.sender.jid
    slow = event.seconds is not None and event.seconds >= SLOW_S
    if event.method is Method.HTTP:
        worth_a_word = event.cause is not None or person is None
    else:
        worth_a_word = event.cause is not None or person is not None or event.again or slow
    if worth_a_word:
        await ctx.tell(event.to, "delivery/goes", event=event, person=person, slow=slow)


@plugin.on(FileDelivered)
async def confirm(ctx: Context[None], event: FileDelivered) -> None:
    """A file that comes here speaks for itself; what goes elsewhere, or as it was told to, does not."""
    person = _shared_by(ctx, event)
    if event.entry.caption and event.method is Method.HTTP:
        # Clients show a file as one only if its message holds nothing else.
        await ctx.tell(event.to, "delivery/caption", entry=event.entry, person=person)
    elif person:
        await ctx.tell(event.to, "delivery/from", entry=event.entry, person=person)
    if _is_here(event, event.to):
        if event.asked and event.method is not Method.HTTP:
            await ctx.reply("delivery/arrived", entry=event.entry)
        return
    await ctx.reply("delivery/sent", entry=event.entry, target=event.to.jid)
    if event.to.kind is AddressKind.CHAT and event.method is Method.HTTP:
        await ctx.tell(event.to, "delivery/from", entry=event.entry, person=ctx.sender.jid)


@plugin.on(DeliveryQueued)
async def say_that_it_waits(ctx: Context[None], event: DeliveryQueued) -> None:
    """Nothing waits without a word."""
    person = None if _is_here(event, event.to) else event.to.jid
    await ctx.reply("delivery/waits", event=event, person=person)


@plugin.on(DeliveryAbandoned)
async def say_that_it_is_not_sent(ctx: Context[None], event: DeliveryAbandoned) -> None:
    """Tell the asker that a waiting delivery was given up."""
    await ctx.reply_error(event.error, event.entry.name, action="send")


def _shared_by(ctx: Context[None], event: FileDelivered) -> str:
    """Return the nick of who shared a file that a room gets; empty if everybody there can see who did."""
    room, sender = event.to.jid, event.sender
    if event.to.kind is not AddressKind.ROOM:
        return ""
    if event.entry.owner not in sender.identities:
        return event.entry.shared_by
    return "" if sender.in_public and sender.room == room else ctx.rooms.own_nick(room)


def _is_here(event: Event, to: Address) -> bool:
    """Whether the file is for where the sender speaks."""
    return to.conversation == event.sender.address.conversation
