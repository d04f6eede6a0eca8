"""Messages to a fake bot, as a real one would read them."""

from dataclasses import replace

from filebot.events.facts import room_itself
from filebot.model import IncomingMessage, MessageIds, MessageRef, Offer, Retraction, Sender


def text_message(
    text: str, by: Sender, replying_to: str, message_id: str, correcting: str, *, addressed: bool
) -> IncomingMessage:
    """Return a message of words alone; a reply to a place in ``messenger.sent`` is one to the bot."""
    sender, ids = _with_id(by, message_id)
    return IncomingMessage(
        sender,
        text,
        replies_to=replying_to,
        replies_to_bot=sender.in_public and replying_to.isdecimal(),
        replaces=correcting,
        ids=ids,
        addressed=addressed,
    )


def file_message(
    offer: Offer, caption: str, by: Sender, message_id: str, correcting: str
) -> IncomingMessage:
    """Return a message with a file; in a room it is not addressed to the bot."""
    sender, ids = _with_id(by, message_id)
    return IncomingMessage(
        sender, caption, offers=(offer,), addressed=not sender.in_public, ids=ids, replaces=correcting
    )


def moderation(room: str, message_id: str) -> Retraction:
    """Return the word of a room that a moderator took a message back."""
    return Retraction(room_itself(room).sender, (message_id,), by_room=True, is_moderation=True)


def _with_id(sender: Sender, message_id: str) -> tuple[Sender, tuple[MessageIds, ...]]:
    """Return who says something in a message of this id, and the ids of the message."""
    if not message_id:
        return sender, ()
    if not sender.in_public:
        return replace(sender, message_id=message_id), (MessageIds(own=(message_id,)),)
    said = MessageRef(sender.address.jid, message_id)
    sender = replace(sender, message_id=message_id, message_ref=said)
    return sender, (MessageIds(message_id, (message_id,)),)
