"""Words of ad-hoc commands beside those of the commands themselves."""

from filebot.model import Sender
from filebot.plugin.conversation import Channel, words_for


async def command_words(
    channel: Channel, sender: Sender, client_language: str | None, what: str | Exception
) -> str:
    """Return the words of a template, or those for an error, in the language of somebody."""
    conversation = await channel.conversation(sender, client_language)
    return conversation.render(what) if isinstance(what, str) else await words_for(what, conversation)
