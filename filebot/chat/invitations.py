"""Following people's invitations into rooms, or telling them why not."""

import logging
from typing import Final

from cachetools import TTLCache

from filebot.chat.commands import Commands
from filebot.chat.conversation import Exchange
from filebot.errors import FilebotError
from filebot.events.facts import InvitationAccepted
from filebot.model import BareJid, Invitation, Sender
from filebot.plugin.rooms import RoomAccess
from filebot.services import Services

log = logging.getLogger(__name__)

DOUBLE_S: Final = 5.0
"""Clients send an invitation in both forms, one after the other: what comes so soon after it was dealt with
is the same one."""
REMEMBERED: Final = 10_000


class Invitations:
    """What becomes of invitations from people who are served; limits are in the ``Rooms`` port."""

    def __init__(self, commands: Commands, services: Services) -> None:
        self._commands = commands
        self._services = services
        self._under_way: set[tuple[BareJid, BareJid | None]] = set()
        self._dealt_with: TTLCache[int, bool] = TTLCache(REMEMBERED, DOUBLE_S)  # by hashes

    async def follow(self, invitation: Invitation, sender: Sender) -> None:
        """Go where somebody wants the bot, and thank them; a second time at once does nothing."""
        key = (invitation.room, sender.jid)
        if key in self._under_way or hash(key) in self._dealt_with:
            return
        self._under_way.add(key)
        try:
            conversation = await self._commands.conversation(sender, invitation.language)
            conversation.action = "join"
            async with conversation.errors_in_words():
                await self._enter(invitation, conversation)
        finally:
            self._under_way.discard(key)
            self._dealt_with[hash(key)] = True

    async def turn_down(self, invitation: Invitation, sender: Sender) -> None:
        """Tell somebody who is not served that nothing will come of it, and somebody whom the room hides to
        ask again otherwise.
        """
        log.info("invited to %s by somebody who is not served: %s", invitation.room, sender.jid)
        conversation = await self._commands.conversation(sender, invitation.language)
        if not invitation.mediated_for:
            await conversation.reply("errors/stranger")
        elif sender.jid is not None:
            self._decline(invitation, conversation.rendered("errors/stranger"))
        elif not self._is_expected_in(invitation.room):
            self._decline(invitation, conversation.rendered("rooms/hidden_inviter", room=invitation.room))

    async def _enter(self, invitation: Invitation, conversation: Exchange) -> None:
        sender = conversation.sender
        memberships = RoomAccess(self._services.rooms, sender)
        try:
            room = await memberships.accept(invitation)
        except FilebotError as error:
            if not invitation.mediated_for:
                raise
            log.info("did not follow an invitation: %s: %s", error.kind, error)
            self._decline(invitation, conversation.words(error))
            return
        log.info("invited to %s by %s", room, sender.jid)
        await self._commands.emit(InvitationAccepted(sender, invitation.language, room))

    def _decline(self, invitation: Invitation, words: str) -> None:
        self._services.ports.rooms.decline(invitation, words)

    def _is_expected_in(self, room: BareJid) -> bool:
        return room in self._services.ports.rooms.joined() or any(
            room == other for other, _ in self._under_way
        )
