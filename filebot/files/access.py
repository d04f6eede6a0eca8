"""Access: the operator's rules, and what one sender may see and do with files.

People are told apart by verified bare JIDs and, within one room, by its occupant-ids. Nicknames and the
addresses of rooms never count.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from filebot.errors import NoSuchEntry, NoSuchRecipient, NotAllowed
from filebot.files.proven_occupants import ProvenOccupants
from filebot.model import (
    Address,
    AddressKind,
    BareJid,
    Entry,
    Identity,
    RoomRole,
    Scope,
    Sender,
    as_bare_jid,
)
from filebot.ports import Rooms

MOST_ROOMS_READ: Final = 50
"""Rooms of one person in which a file is looked for."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The operator's rules: addresses, and globs (``*`` and ``?``) on bare JIDs."""

    admins: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    invitations: bool = True
    """Whether others than admins bring the bot into rooms."""


class Access:
    """The operator's rules applied. A denial beats everything."""

    def __init__(
        self,
        *,
        admins: Iterable[str] = (),
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        invitations: bool = True,
    ) -> None:
        """Without ``invitations`` only admins bring the bot into rooms."""
        self.use(AccessRules((*admins,), (*allow,), (*deny,), invitations))

    def use(self, rules: AccessRules) -> None:
        """Go by these rules from now on."""
        self._invitations = rules.invitations
        self._admins = frozenset(jid.lower() for jid in rules.admins)
        self._allow = _any_of(rules.allow)
        self._deny = _any_of(rules.deny)

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
        """Whether the operator shut out the sender's JID or the one that an untrusted room claims for it.

        Such a claim cannot be verified, so it may deny a right but never give one.
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


class RoomRules(Protocol):
    """Rules of rooms about their files, as their admins want them."""

    def lets_read(self, room: BareJid, who: Identity) -> bool:
        """Whether somebody is in the room just now, and may see and get its files. Ask when acting."""

    def is_members_only(self, room: BareJid) -> bool:
        """Whether only members of the room may."""


class FileAccess:
    """Files that one sender may see and change, where that sender is speaking.

    In a private chat these are the person's own files; in a room, or in a private message through it, the
    room's. Whoever is not served can own files of a room all the same, as whoever the room says they are.
    """

    def __init__(
        self,
        rules: Access,
        rooms: Rooms,
        room_rules: RoomRules,
        sender: Sender,
        proven: ProvenOccupants,
    ) -> None:
        """``proven`` knows who has shown which occupant they are."""
        self._proven = proven
        self.sender = sender
        self.owner: BareJid | None = sender.jid if rules.serves(sender.jid) else None
        """Owner of the sender's private files; None for people who are not served."""
        self._rules = rules
        self._rooms = rooms
        self._room_rules = room_rules

    def own(self) -> BareJid:
        """Return the owner of the sender's private files. Raises NotAllowed."""
        if self.owner is None:
            raise unknown(self.sender) if self.sender.jid is None else NotAllowed(reason="unserved")
        return self.owner

    def own_here(self) -> Identity:
        """Return the identity by which the sender owns files where they speak. Raises NotAllowed."""
        if self.sender.room is None:
            return self.own()
        identity = self.sender.identity
        if identity is None:
            raise unknown(self.sender)
        if self._rules.denies(self.sender):
            raise NotAllowed(reason="unserved")
        return identity

    def here(self) -> Scope:
        """Return the scope spoken in. Raises NotAllowed."""
        if self.sender.room is None:
            return Scope(owner=self.own())
        if not self._may_read(self.sender.room):
            raise NotAllowed(reason="members")
        return Scope(room=self.sender.room)

    def scopes(self) -> list[Scope]:
        """Return the scope spoken in and, in a room, the person's own. Raises NotAllowed."""
        scopes = [self.here()]
        if self.owner is not None and self.sender.room is not None:
            scopes.append(Scope(owner=self.owner))
        return scopes

    def shown(self) -> list[Scope]:
        """Return the scopes whose files are shown where the sender speaks. Raises NotAllowed.

        Privately through a room they are the room's files and the sender's own; everybody in the room reads
        what is said in public, so there only the room's.
        """
        return [self.here()] if self.sender.in_public else self.scopes()

    def rooms_read(self) -> Sequence[BareJid]:
        """Return the rooms that a person is in just now, if they speak in private and may get the files.

        Those of an admin of the bot are no others: a name must not bring up files of rooms they are not in.
        """
        if self.sender.room is not None or self.owner is None:
            return ()
        owner, rooms = self.owner, sorted(self._rooms.joined())
        return [each for each in rooms if self._lets_read(each, owner)][:MOST_ROOMS_READ]

    def may_see(self, entry: Entry, *, in_public: bool) -> bool:
        """Whether the sender may see a file; ``in_public``, so that everybody in the room does."""
        if self.here().covers(entry.owner, entry.room):
            return True
        if self.owner is None or in_public:
            return False
        return entry.owner == self.owner or (entry.room is not None and self._may_read(entry.room))

    def speaking_in(self, room: BareJid) -> Identity:
        """Return the identity by which the sender puts files into a room. Raises NotAllowed."""
        identity = self.own_here()
        self.must_have_voice(room, identity)
        return identity

    def must_have_voice(self, room: BareJid, who: Identity) -> None:
        """Raise NotAllowed if somebody may only listen in a room, or is not in it."""
        room_role = self._role(room, who)
        if room_role is None or not room_role.has_voice:
            raise NotAllowed(reason="voice")

    async def prove(self, occupant: Identity) -> None:
        """Note that the sender has shown to be this occupant. Raises NotAllowed or StorageError."""
        await self._proven.note(self.own(), occupant)

    def _role(self, room: BareJid, who: Identity) -> RoomRole | None:
        roles = (self._rooms.room_role(room, each) for each in self._proven.identities(who, room))
        return next((each for each in roles if each is not None), None)

    def _lets_read(self, room: BareJid, who: Identity) -> bool:
        return any(self._room_rules.lets_read(room, each) for each in self._proven.identities(who, room))

    def must_be_sendable(self, entry: Entry, to: Address) -> None:
        """Raise NotAllowed or NoSuchEntry if the sender may not have a file sent there.

        Ask again right before it goes: whoever asked may have been put out meanwhile.
        """
        if to.kind is AddressKind.ROOM and entry.room != to.jid:
            self.must_have_voice(to.jid, self.own())
        elif to.kind is not AddressKind.ROOM and not self.may_see(entry, in_public=False):
            raise NoSuchEntry(entry.name)

    def must_be_postable(self, entry: Entry, room: BareJid) -> None:
        """Raise NotAllowed if the bot may not speak there, or a file of others is not for all present."""
        if not self._rooms.has_voice(room):
            raise NotAllowed(reason="mute")
        if entry.owner not in self.sender.identities and self._room_rules.is_members_only(room):
            raise NotAllowed(reason="members")

    def must_be_changeable(self, entry: Entry) -> None:
        """Raise NotAllowed if the sender may not rename or remove a file.

        Ask right before the change: affiliations of the moment when somebody spoke may be gone.
        """
        if entry.room is not None and self._rules.manages(self._rooms, self.sender, entry.room):
            return
        self.own_here()
        if not self._rules.may_change(self.sender, entry):
            raise NotAllowed(reason="owner")

    async def destination(self, target: str) -> Address:
        """Return the room or person that somebody names to send a file there.

        Only people whom the bot serves are sent anything: it is no way to bother strangers. Raises
        NotAllowed or NoSuchRecipient.
        """
        owner = self.own()
        room = await self._rooms.joined_room(target) or self._room_called(target, owner)
        if room is None:
            return Address(self._recipient(target))
        if self._role(room, owner) is None:
            raise NoSuchRecipient(target, is_address="@" in target)
        return Address(room, AddressKind.ROOM)

    def neighbour(self, name: str) -> BareJid | None:
        """Return the address that a mere name may stand for on the sender's own server.

        None for an address, people who are not served, and the name of a room: if it hides who is in it,
        the sender has to show that first. None for a name in another script, too: there a name cannot be
        told from the words around it.
        """
        name = unicodedata.normalize("NFKC", name)
        if self.owner is None or "@" in name or not name.isascii() or self._rooms_called(name):
            return None
        try:
            return self._recipient(f"{name}@{self.owner.partition('@')[2]}")
        except NoSuchRecipient:
            return None

    def _room_called(self, name: str, who: BareJid) -> BareJid | None:
        """Return the only room of this name, which begins its address, among those that somebody is in."""
        found = [each for each in self._rooms_called(name) if self._role(each, who) is not None]
        return found[0] if len(found) == 1 else None

    def _rooms_called(self, name: str) -> Sequence[BareJid]:
        wanted = name.strip().lower()
        return [each for each in self._rooms.joined() if each.partition("@")[0] == wanted]

    def _recipient(self, target: str) -> BareJid:
        try:
            bare = as_bare_jid(target)
        except ValueError:
            raise NoSuchRecipient(target, is_address=False) from None
        if not self._rules.serves(bare):
            raise NoSuchRecipient(target, is_address="@" in bare)
        return bare

    def _may_read(self, room: BareJid) -> bool:
        """Whether the room's files are for the sender; asked when acting.

        In the room spoken in, being there is enough, also for people of whom it tells nothing, unless its
        admins want otherwise.
        """
        if room == self.sender.room and not self._room_rules.is_members_only(room):
            return True
        return self._rules.is_admin(self.sender.jid) or any(
            self._lets_read(room, each) for each in self.sender.identities
        )


FileAccessFactory = Callable[[Sender], FileAccess]


def unknown(sender: Sender) -> NotAllowed:
    """Return the reason why nobody can tell who the sender is."""
    return NotAllowed(reason="hidden" if sender.claimed is None else "strange")


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    patterns = (re.escape(glob.lower()).replace(r"\*", ".*").replace(r"\?", ".") for glob in globs)
    return re.compile("|".join(patterns) or r"(?!)", re.DOTALL)
