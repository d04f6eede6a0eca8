"""Tell a web service of files that come and go, by signed requests that survive a kill."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from filebot.plugin import Context, Entry, FileRemoved, FileStored, Plugin, TransferError


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.webhook]`."""

    url: str = ""
    """Where the requests go; nowhere if it is empty."""
    secret: str = field(default="", repr=False)
    """Key of the signatures, which shows the service that a request is the bot's."""

    def __post_init__(self) -> None:
        if self.url and not self.secret:
            raise ValueError("secret is missing: the service could not tell who sends")


plugin = Plugin("webhook", api=1, settings=Settings, needs={"http"})


@plugin.on(FileStored, durable=True)
async def stored(ctx: Context[Settings], event: FileStored) -> None:
    """Tell of a file that is new."""
    if not event.already_known:
        await send(ctx, "stored", event.entry)


@plugin.on(FileRemoved, durable=True)
async def removed(ctx: Context[Settings], event: FileRemoved) -> None:
    """Tell of a file that is gone."""
    await send(ctx, "removed", event.entry)


async def send(ctx: Context[Settings], what: str, entry: Entry) -> None:
    """Send one request; if the service does not take it, the job is tried again."""
    if not ctx.settings.url:
        return
    file = {
        "id": entry.id,
        "name": entry.name,
        "bytes": entry.blob.size,
        "type": entry.media_type,
        "owner": entry.owner,
        "room": entry.room,
    }
    body = json.dumps({"event": what, "file": file}).encode()
    signature = hmac.new(ctx.settings.secret.encode(), body, hashlib.sha256).hexdigest()
    answer = await ctx.http.post(
        ctx.settings.url,
        body,
        headers={"Content-Type": "application/json", "X-Signature": f"sha256={signature}"},
    )
    if not answer.ok:
        raise TransferError(f"the service answered with status {answer.status}")
