"""Invitations into rooms: accepted, or declined with the reason."""

import logging
from typing import Final

from filebot.concurrency.throttle import Throttle
from filebot.errors import FilebotError
from filebot.events.facts import InvitationAccepted
from filebot.model import BareJid, Invitation, Sender
from filebot.plugin.context import RoomsOf
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.ports import Rooms

log = logging.getLogger(__name__)

DOUBLE_S: Final = 5.0
"""Clients send an invitation twice, direct and through the room: one that comes so soon after another is a
copy of it."""


class Invitations:
    """Accepts and declines invitations; limits are in the ``Rooms`` port."""

    def __init__(self, channel: Channel, rooms_of: RoomsOf, rooms: Rooms) -> None:
        self.channel = channel
        self._rooms_of = rooms_of
        self._rooms = rooms
        self._under_way: set[tuple[BareJid, BareJid | None]] = set()
        self._handled = Throttle(DOUBLE_S)

    async def follow(self, invitation: Invitation, sender: Sender) -> None:
        """Enter a room and thank the inviter. A copy of an invitation is ignored."""
        key = (invitation.room, sender.jid)
        if key in self._under_way or self._handled.has_passed(*key):
            return
        self._under_way.add(key)
        try:
            conversation = await self.channel.conversation(sender, invitation.language, action="join")
            async with errors_in_words(conversation):
                await self._enter(invitation, conversation)
        finally:
            self._under_way.discard(key)
            self._handled.note(*key)

    async def turn_down(self, invitation: Invitation, sender: Sender) -> None:
        """Decline an invitation by somebody who is not served, or whom the room hides.

        Somebody who is hidden is told how to invite the bot all the same.
        """
        log.info("invited to %s by somebody who is not served: %s", invitation.room, sender.jid)
        conversation = await self.channel.conversation(sender, invitation.language)
        if not invitation.mediated_for:
            await conversation.reply("errors/stranger")
        elif sender.jid is not None:
            self._decline(invitation, conversation, "errors/stranger")
        elif not self._is_expected_in(invitation.room):
            self._decline(invitation, conversation, "rooms/hidden_inviter", room=invitation.room)

    async def _enter(self, invitation: Invitation, conversation: Conversation) -> None:
        sender = conversation.sender
        try:
            room = await self._rooms_of(sender).accept(invitation)
        except FilebotError as error:
            if not invitation.mediated_for:
                raise
            log.info("did not follow an invitation: %s: %s", error.kind, error)
            action, language = conversation.action, conversation.language
            self._rooms.decline(invitation, self.channel.reply_sender.words(error, language, action=action))
            return
        log.info("invited to %s by %s", room, sender.jid)
        await self.channel.events.tell(InvitationAccepted(sender, invitation.language, room))

    def _decline(
        self, invitation: Invitation, conversation: Conversation, template: str, **values: object
    ) -> None:
        words = self.channel.reply_sender.replies.render(template, conversation.language, **values)
        self._rooms.decline(invitation, words)

    def _is_expected_in(self, room: BareJid) -> bool:
        return room in self._rooms.joined() or any(room == other for other, _ in self._under_way)
