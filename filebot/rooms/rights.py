"""Rights in rooms: what one sender may see and change of them."""

from filebot.errors import NoSuchRoom, NotAllowed
from filebot.files.access import Access, unknown
from filebot.model import BareJid, Sender
from filebot.ports import Rooms


class RoomRights:
    """Checks what one sender may do with a room; ask when acting."""

    def __init__(self, rules: Access, rooms: Rooms, sender: Sender) -> None:
        self._rules = rules
        self._rooms = rooms
        self._sender = sender

    @property
    def is_admin(self) -> bool:
        """Whether the sender runs the bot."""
        return self._rules.is_admin(self._sender.jid)

    def inviter(self) -> BareJid:
        """Return the sender as somebody who may bring the bot into rooms. Raises NotAllowed."""
        if self._sender.jid is None:
            raise unknown(self._sender)
        if not self._rules.may_invite(self._sender.jid):
            raise NotAllowed(reason="admin")
        return self._sender.jid

    def may_send_away(self, room: BareJid, invited_by: BareJid | None) -> bool:
        """Whether the sender may have the bot leave a room into which ``invited_by`` brought it."""
        if self.is_admin or self._rules.manages(self._rooms, self._sender, room):
            return True
        return (
            invited_by is not None
            and invited_by == self._sender.jid
            and not self._rules.is_denied(invited_by)
        )

    def visible(self, room: BareJid) -> BareJid:
        """Return a room that the sender is in too; others are none of the sender's business.

        Raises NoSuchRoom.
        """
        if self._sender.room == room or self.is_admin:
            return room
        if not any(self._rooms.room_role(room, each) for each in self._sender.identities):
            raise NoSuchRoom(room)
        return room

    def managed(self, room: BareJid) -> BareJid:
        """Return a room that the sender manages. Raises NoSuchRoom or NotAllowed."""
        self.visible(room)
        if not self.is_admin and not self._rules.manages(self._rooms, self._sender, room):
            if self._sender.identities:
                raise NotAllowed(reason="room")
            if self._sender.claimed is None:
                raise NotAllowed(reason="unseen")
            raise unknown(self._sender)
        return room
