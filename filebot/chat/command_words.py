"""Words of ad-hoc commands beside those of the commands themselves."""

import logging
import secrets

from filebot.errors import FilebotError
from filebot.model import Sender
from filebot.plugin.conversation import Channel

log = logging.getLogger(__name__)


async def command_words(
    channel: Channel, sender: Sender, client_language: str | None, what: str | Exception
) -> str:
    """Return the words of a template, or those for an error, in the language of somebody.

    An error without a template is named by an incident id that stands in the log as well.
    """
    conversation = await channel.conversation(sender, client_language)
    if isinstance(what, str):
        return conversation.render(what)
    known = what if isinstance(what, FilebotError) else None
    template = channel.reply_sender.replies.template_for(known) if known else None
    if template is not None:
        in_room = sender.room is not None
        return conversation.render(template, error=what, name="", in_room=in_room, action="")
    incident = secrets.token_hex(3)
    log.error("incident %s in an ad-hoc command", incident, exc_info=what)
    return conversation.render("errors/incident", incident=incident)
