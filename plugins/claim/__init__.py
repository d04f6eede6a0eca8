"""Files kept in a room that hides who people are become yours everywhere.

Such a room knows you by an id of its own, and what you keep there belongs to that id. Write `claim` to me
in a private message through the room, and then, in a private chat, what I answer.
"""

from dataclasses import dataclass

from filebot.plugin import AddressKind, CommandGroup, Context, Plugin, QuotaExceeded, UserError

from .codes import VALID_S, Codes

plugin = Plugin[None]("claim", api=1, needs={"files.read", "files.own"}, package=__name__)

_codes = Codes()


@dataclass(frozen=True, slots=True)
class Claim:
    """Code by which an occupant proves a JID theirs."""

    code: str
    bot: str
    """Where it is to be written."""
    valid_s: float = VALID_S


@dataclass(frozen=True, slots=True)
class Claimed:
    """Files that changed their owner."""

    files: int
    room: str


class NoSuchClaim(UserError):
    """The claim code is unknown, used or too old."""

    template = "claim/no_such_claim"


class ClaimExceedsQuota(UserError):
    """The files that somebody claims do not fit beside what they store; sizes in bytes."""

    template = "claim/exceeds_quota"

    def __init__(self, error: QuotaExceeded) -> None:
        super().__init__(str(error))
        self.size_bytes = error.size_bytes
        self.used_bytes = error.used_bytes
        self.limit_bytes = error.limit_bytes


@plugin.command("claim", usage=("claim CODE", "claim"), group=CommandGroup.ROOMS)
async def claim(ctx: Context[None], code: str) -> None:
    """Make your files from a room that hides your address yours everywhere."""
    sender = ctx.sender
    if code:
        await ctx.reply("claim/done", claimed=await redeem(ctx, code), by_code=True)
    elif sender.address.kind is AddressKind.CHAT:
        await ctx.reply("claim/how")
    elif sender.occupant is None:
        shown = sender.jid is not None
        await ctx.reply("claim/nothing" if shown else "claim/no_ids", room=sender.room)
    elif sender.jid is not None:
        await ctx.reply("claim/done", claimed=await take_over(ctx, sender.occupant), by_code=False)
    elif sender.in_public:
        await ctx.reply("claim/in_private")
    else:
        await ctx.reply("claim/code", claim=Claim(_codes.begin(sender.occupant), ctx.own_address))


async def redeem(ctx: Context[None], code: str) -> Claimed:
    """Give the sender the files of whoever was given this code; it stays good if that fails."""
    ctx.files.owner()  # before the code is looked up: whoever may own nothing learns nothing of codes
    occupant = _codes.occupant(code)
    if occupant is None:
        raise NoSuchClaim
    claimed = await take_over(ctx, occupant)
    _codes.forget(code)
    return claimed


async def take_over(ctx: Context[None], occupant: str) -> Claimed:
    """Make the files of an occupant the sender's, who is known to be the same."""
    try:
        files = await ctx.files.change_owner(occupant)
    except QuotaExceeded as error:
        raise ClaimExceedsQuota(error) from error
    return Claimed(files, occupant.partition("/")[0])
