"""Who is served, and whose a file is: by verified bare JIDs and, within one room, by its occupant-ids.

Nicknames and the addresses of rooms never count.
"""

import re
from collections.abc import Iterable

from filebot.errors import NotAllowed
from filebot.model import BareJid, Entry, Sender
from filebot.ports import Rooms


class Access:
    """The operator's rules, as globs (``*`` and ``?``) on bare JIDs. A denial beats everything."""

    def __init__(
        self,
        *,
        admins: Iterable[str] = (),
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        invitations: bool = True,
    ) -> None:
        """Without ``invitations`` only admins bring the bot into rooms."""
        self._invitations = invitations
        self._admins = frozenset(jid.lower() for jid in admins)
        self._allow = _any_of(allow)
        self._deny = _any_of(deny)

    def is_admin(self, jid: BareJid | None) -> bool:
        """Whether this person runs the bot."""
        return jid is not None and jid in self._admins and not self.is_denied(jid)

    def is_denied(self, jid: BareJid | None) -> bool:
        """Whether the operator shut this person out."""
        return jid is not None and self._deny.fullmatch(jid) is not None

    def serves(self, jid: BareJid | None) -> bool:
        """Whether this person may drop, get and be sent files."""
        if jid is None or self.is_denied(jid):
            return False
        return jid in self._admins or self._allow.fullmatch(jid) is not None

    def denies(self, sender: Sender) -> bool:
        """Whether the operator shut out whoever speaks, or whom a room of doubtful word calls so: that they
        are somebody else is no more certain than that they are not.
        """
        return self.is_denied(sender.jid) or self.is_denied(sender.claimed)

    def may_invite(self, jid: BareJid | None) -> bool:
        """Whether this person may bring the bot into rooms."""
        return self.is_admin(jid) or (self._invitations and self.serves(jid))

    def may_speak(self, sender: Sender) -> bool:
        """Whether a message is answered at all.

        Being in a room that the bot was put into gives the right to read that room's files, and to own some
        of them to whom the room can tell from others. Everything else needs a JID that is served.
        """
        if sender.room is not None:
            return not self.denies(sender)
        return self.serves(sender.jid)

    def manages(self, rooms: Rooms, sender: Sender, room: BareJid) -> bool:
        """Whether the room shows the sender as an owner or admin of it just now. Ask when acting."""
        standings = (rooms.room_role(room, each) for each in sender.identities)
        return not self.denies(sender) and any(each is not None and each.manages for each in standings)

    def may_change(self, sender: Sender, entry: Entry) -> bool:
        """Whether the sender may rename or remove the entry: its owner, or an admin of the bot."""
        if self.is_admin(sender.jid):
            return True
        if self.denies(sender) or entry.owner not in sender.identities:
            return False
        return self.serves(sender.jid) or (entry.room is not None and entry.room == sender.room)


def unknown(sender: Sender) -> NotAllowed:
    """Why nobody can tell who the sender is."""
    return NotAllowed(reason="hidden" if sender.claimed is None else "strange")


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    patterns = (re.escape(glob.lower()).replace(r"\*", ".*").replace(r"\?", ".") for glob in globs)
    return re.compile("|".join(patterns) or r"(?!)", re.DOTALL)
