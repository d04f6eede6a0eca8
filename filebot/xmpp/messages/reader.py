"""One ``<message/>`` -> what it means to the bot.

Whom to believe: the server vouches for ``from`` (RFC 6120 section 8.1.2.1), a room that the bot is in
vouches for the real JIDs of its occupants (XEP-0045 section 7.2.3) or for their ids (XEP-0421). Nicks,
claims inside of the stanza and marks of a room on messages from elsewhere give nothing. Who invites through
a room is what the room's service says, so that counts only if the service is believed.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element

from cachetools import TTLCache

from filebot.model import (
    LONGEST_TEXT,
    Address,
    AddressKind,
    BareJid,
    EncryptedMessage,
    IncomingMessage,
    Invitation,
    MessageIds,
    MessageRef,
    Offer,
    Reaction,
    Retraction,
    Sender,
)
from filebot.protocol.archive_cursor import message_key
from filebot.protocol.file_sharing import MAX_ID, AttachmentJoiner, Shared, read
from filebot.protocol.message_references import is_tombstone, own_ids, refers, replaced_id
from filebot.protocol.xml import first, in_namespace, named
from filebot.xmpp.archive.mam_query import LONGEST_ID
from filebot.xmpp.jid import Jid, parse_jid
from filebot.xmpp.messages.addressing import addressed, in_private
from filebot.xmpp.messages.encryption import ENCRYPTED, read_encrypted
from filebot.xmpp.messages.invitation_parser import INVITING, is_invitation, read_direct, read_mediated
from filebot.xmpp.messages.references import moderation, reference, room_tombstone
from filebot.xmpp.messages.room_lookup import RoomLookup
from filebot.xmpp.xml import (
    CHAT_STATES,
    DELAY,
    MUC_USER,
    STANZA_IDS,
    delayed_since,
    jid_or_none,
    language_of,
    sender_of,
)

log = logging.getLogger(__name__)

MOST_SEEN: Final = 10_000
SEEN_FOR_S: Final = 3600.0
"""How many ids of messages are remembered, and how long: servers and rooms may deliver a message twice."""
RESENT_WITHIN_S: Final = 5.0
"""Age up to which a message with the ``id`` and the words of another is taken for the same one: clients
count their ids from the beginning in each session."""
MOST_OWN_IDS: Final = 8
"""Ids of one message: whoever writes thousands would have others' forgotten."""

# Copies, archives, and notes about other messages. Their body, where there is one, only tells old clients
# what they cannot show.
_NOT_SAID_TO_US: Final = frozenset(
    {
        "{urn:xmpp:carbons:2}received",  # XEP-0280: a true one was opened before, so this one is forged
        "{urn:xmpp:carbons:2}sent",
        "{urn:xmpp:mam:2}result",  # XEP-0313
    }
)


Read = IncomingMessage | EncryptedMessage | Invitation | Retraction | Reaction


class Reader:
    """Reads messages in the order of their arrival; remembers those of the last hour."""

    def __init__(
        self,
        own: BareJid,
        rooms: RoomLookup,
        command_prefix: str,
        nick: str,
        *,
        whole_domain: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``nick`` is the bot's name outside of rooms; with ``whole_domain`` every address of its domain is
        the bot's own. ``clock`` gives seconds, and never goes back.
        """
        self._own = own
        self._own_domain = parse_jid(own).domain if whole_domain else None
        self._rooms = rooms
        self.command_prefix = command_prefix
        """It may be replaced."""
        self._nick = nick
        self._clock = clock
        # An id may be as long as a stanza: only its hash is remembered.
        self._seen = TTLCache[int, float](MOST_SEEN, SEEN_FOR_S, clock)
        self._joiner = AttachmentJoiner()

    def read(
        self,
        stanza: Element,
        *,
        archived_at: datetime | None = None,
        archive: BareJid | None = None,
        archive_id: str = "",
        is_copy: bool = False,
    ) -> Read | None:
        """None for everything that asks for no answer.

        ``archived_at``: it comes out of an archive, where it lies since then: out of that of the room
        ``archive``, or out of the bot's own, under its ``archive_id``. ``is_copy``: it went to another
        client of the bot's account.
        """
        speaker, payloads = sender_of(stanza), {child.tag for child in stanza}
        if speaker is None or payloads & _NOT_SAID_TO_US:
            return None
        if archive is None and payloads & INVITING and is_invitation(stanza):
            return self._invitation(stanza, speaker)
        is_elsewhere = is_copy or (archived_at is not None and archive is None)
        if is_elsewhere and self._is_of_a_room(stanza, speaker):
            # The owner of a nick at that time is unknown, and an answer would go to whoever has it now; and
            # a message to another client in a room was not said to the bot.
            return None
        said: Read | None
        if archive is not None and is_tombstone(stanza):
            said = room_tombstone(stanza, archive, archive_id)
        else:
            is_past = archived_at is not None or self.is_past(stanza)
            said = self._read(stanza, speaker, archive, is_past=is_past)
        if not isinstance(said, IncomingMessage):
            return said
        if archived_at is not None:
            # XEP-0313: in a room's archive it has the room's id.
            ids = (replace(said.ids[0], given=archive_id if archive else ""), *said.ids[1:])
            return replace(said, delayed_since=archived_at, ids=ids)
        room, nick = said.sender.room, said.sender.nick
        return replace(said, by_bot=True) if room and self._rooms.is_filebot(room, nick) else said

    def _read(
        self, stanza: Element, speaker: Jid, archive: BareJid | None, *, is_past: bool
    ) -> Read | None:
        if not speaker.resource and speaker.bare in self._rooms.joined():
            return moderation(stanza, speaker.bare) if self._is_new(stanza, speaker) else None
        sender = self._sender(stanza, speaker) if archive is None else self.author(archive, stanza)
        if sender is None or not self._is_new(stanza, speaker, from_store=is_past):
            return None
        if refers(stanza) or is_tombstone(stanza):
            return reference(stanza, sender, is_past=is_past)
        return self._said(stanza, speaker, sender)

    def _said(
        self, stanza: Element, speaker: Jid, sender: Sender
    ) -> IncomingMessage | EncryptedMessage | None:
        shared = read(stanza)
        # An aesgcm or ESFS file beside readable files is left out; alone, the person must be told.
        only_encrypted = shared.encrypted and not shared.offers
        if only_encrypted or any(child.tag in ENCRYPTED for child in stanza):
            return None if sender.in_public else read_encrypted(stanza, sender)
        given = sender.message_ref.message_id if sender.message_ref is not None else ""
        ids: tuple[MessageIds, ...] = (MessageIds(given, own_ids(stanza)),)
        offers: tuple[Offer, ...] = ()
        if shared.may_join:
            now, key = self._clock(), speaker.full
            self._joiner.expire(now)
            if sender.address.kind is AddressKind.CHAT:
                key = speaker.bare
            earlier = self._joiner.attached_to(key, shared)
            offers = self._joiner.feed(key, shared, self._ids(stanza, speaker), now, ids[0])
            if offers and earlier is not None:
                ids = (*ids, earlier)
        if not offers and not shared.text:
            return None
        return self._message(stanza, sender, shared, offers, ids)

    def asker(self, iq: Element) -> Sender | None:
        """Return who sent a request; None for what no person's client sent."""
        speaker = sender_of(iq)
        if speaker is None or not speaker.resource or self._is_own(speaker):
            return None
        if speaker.bare in self._rooms.addresses:
            return self._through_room(speaker)
        own = self._written_to(iq).partition("/")[0]
        return Sender(Address(speaker.full, own=own), speaker.bare)

    def author(self, room: BareJid, stanza: Element) -> Sender | None:
        """Return who spoke in a room at an earlier time, by the id that its archive has (XEP-0421).

        Nicks may have had other owners then, and a real JID inside of a message (XEP-0313 section 5.2) may
        have been put there by whoever wrote it: not every service takes such out.
        """
        speaker = sender_of(stanza)
        if speaker is None or speaker.bare != room or not speaker.resource:
            return None
        if stanza.get("type") != "groupchat" or is_tombstone(stanza):
            return None
        author = self._rooms.author(room, stanza)
        if author is None:
            return None
        address, nick = Address(room, AddressKind.ROOM), speaker.resource
        return Sender(address, author.jid, room, nick, author.key, claimed=author.claimed)

    def archive_id(self, stanza: Element, archive: BareJid) -> str | None:
        """Return the id of a message that has just come in this archive; None if it does not keep it."""
        given = (each for each in named(stanza, STANZA_IDS, "stanza-id") if each.get("by") == archive)
        ids = (each.get("id", "") for each in given)
        return next((each for each in ids if 0 < len(each) <= LONGEST_ID), None)

    def is_past(self, stanza: Element) -> bool:
        """Whether a room shows what was said in it before (XEP-0045 section 7.2.14)."""
        return first(stanza, DELAY, "delay") is not None

    def was_kept_back(self, stanza: Element) -> bool:
        """Whether the bot's own server had the message lying for a while (XEP-0160, XEP-0198)."""
        delays = (jid_or_none(each.get("from")) for each in named(stanza, DELAY, "delay"))
        return any(
            each is not None and each.full in {self._own, parse_jid(self._own).domain} for each in delays
        )

    def _is_of_a_room(self, stanza: Element, speaker: Jid) -> bool:
        return (
            stanza.get("type") == "groupchat"
            or speaker.bare in self._rooms.addresses
            or first(stanza, MUC_USER, "x") is not None
        )

    def _invitation(self, stanza: Element, speaker: Jid) -> Invitation | None:
        if self._is_own(speaker):
            return None
        by_room = speaker.bare in self._rooms.addresses or first(stanza, MUC_USER, "x") is not None
        invitation = read_mediated(stanza, speaker) if by_room else read_direct(stanza, speaker)
        if invitation is not None and not by_room:
            invitation = replace(invitation, own=self._written_to(stanza))
        if invitation is not None and by_room and not self._rooms.believes(invitation.room):
            log.info("ignored: %s says that %s invites the bot there", invitation.room, invitation.inviter)
            return None
        return invitation if invitation is not None and self._is_new(stanza, speaker) else None

    def _sender(self, stanza: Element, speaker: Jid) -> Sender | None:
        kind = stanza.get("type", "normal")
        if kind == "groupchat":
            return self._in_room(stanza, speaker)
        if kind not in {"chat", "normal"} or self._is_own(speaker):
            return None
        if self._is_of_a_room(stanza, speaker):
            return self._through_room(speaker)
        # Answers go to the client that asked, with copies to those with carbons (XEP-0280). Some, such as
        # go-sendxmpp, leave at once: see ``online_clients``.
        return Sender(Address(speaker.full, own=self._written_to(stanza)), speaker.bare)

    def _written_to(self, stanza: Element) -> str:
        """By which of its addresses the bot was written to; empty if it has one."""
        return stanza.get("to", "") if self._own_domain is not None else ""

    def _is_own(self, speaker: Jid) -> bool:
        return speaker.bare == self._own or speaker.domain == self._own_domain

    def _in_room(self, stanza: Element, speaker: Jid) -> Sender | None:
        room, nick = speaker.bare, speaker.resource
        # XEP-0045: without a nick it is the room itself; with the bot's own nick it is an echo (section
        # 7.4); with a delay it is history (section 7.2.14).
        if not nick or room not in self._rooms.joined() or nick == self._rooms.nick_in(room):
            return None
        if self.is_past(stanza):
            return None
        occupant = self._rooms.occupant(room, nick)
        # XEP-0461 section 3.1: in a room it is the room's id that counts.
        given = self._stanza_ids(stanza, speaker) if self._rooms.gives_stanza_ids(room) else ()
        ids = [each for giver, each in given if giver == room and len(each) <= LONGEST_ID]
        message_ref = MessageRef(speaker.full, ids[0]) if len(ids) == 1 else None
        address = Address(room, AddressKind.ROOM)
        return Sender(
            address,
            occupant.jid,
            room,
            nick,
            occupant.key,
            claimed=occupant.claimed,
            message_ref=message_ref,
        )

    def _through_room(self, speaker: Jid) -> Sender | None:
        """A private message (XEP-0045 section 7.5). What only claims to be one has no identity at all."""
        room, nick = speaker.bare, speaker.resource
        if not nick:
            return None  # a notice of the room
        if room not in self._rooms.joined():
            return Sender(Address(speaker.full, AddressKind.ROOM_PRIVATE), None, None, nick)
        if nick == self._rooms.nick_in(room):
            return None
        occupant = self._rooms.occupant(room, nick)
        address = Address(speaker.full, AddressKind.ROOM_PRIVATE, occupant.identity)
        return Sender(address, occupant.jid, room, nick, occupant.key, claimed=occupant.claimed)

    def _is_new(self, stanza: Element, speaker: Jid, *, from_store: bool = False) -> bool:
        # Plain ids are not always unique, but the same id with the same content is a repetition: right
        # after the first, such as stream management makes (XEP-0198 section 5), or out of a store.
        content = hash(tuple(stanza.itertext()))
        given = islice(named(stanza, STANZA_IDS, "origin-id"), MOST_OWN_IDS)
        own_ids = [(speaker.full, f"origin {each.get('id', '')}") for each in given]
        if not own_ids and stanza.get("id"):
            own_ids = [(speaker.full, f"id {stanza.get('id')} {content}")]
        by_others = islice(self._stanza_ids(stanza, speaker), MOST_OWN_IDS)
        ids = [*own_ids, *((giver, message_key(each, stanza)) for giver, each in by_others)]
        # An origin-id is the client's word and tells only that client's messages apart; a stanza-id, only
        # those of the server or room that gave it, and not even all of them.
        keys, now = {hash(each) for each in ids}, self._clock()
        plain = {hash(each) for each in own_ids if each[1].startswith("id ")} if not from_store else set()
        ages = {key: now - since for key in keys if (since := self._seen.get(key)) is not None}
        is_new = not any(key not in plain or age < RESENT_WITHIN_S for key, age in ages.items())
        self._seen.update(dict.fromkeys(keys if is_new else keys - ages.keys(), now))
        return is_new

    def _stanza_ids(self, stanza: Element, speaker: Jid) -> Iterator[tuple[str, str]]:
        """Ids given by the bot's own server or by the room; others may be forged (XEP-0359)."""
        for each in named(stanza, STANZA_IDS, "stanza-id"):
            giver = jid_or_none(each.get("by"))
            if giver is not None and giver.full in {self._own, speaker.bare} and each.get("id"):
                yield giver.full, each.get("id", "")

    def _ids(self, stanza: Element, speaker: Jid) -> list[str]:
        """All by which a later message may refer to this one (XEP-0367)."""
        origin = (each.get("id", "") for each in named(stanza, STANZA_IDS, "origin-id"))
        given = (each for _, each in self._stanza_ids(stanza, speaker))
        return [each[:MAX_ID] for each in (stanza.get("id", ""), *origin, *given) if each]

    def _message(
        self,
        stanza: Element,
        sender: Sender,
        shared: Shared,
        offers: tuple[Offer, ...],
        ids: tuple[MessageIds, ...],
    ) -> IncomingMessage:
        text = shared.text
        said: str | None = text
        nick = self._nick if sender.room is None else self._rooms.nick_in(sender.room)
        if sender.in_public:
            said = addressed(text, prefix=self.command_prefix, nick=nick)
        elif not offers:  # a caption is taken as it is
            said = in_private(text, prefix=self.command_prefix, nick=nick)
        kept = text if said is None else said
        return IncomingMessage(
            sender=sender if sender.in_public else replace(sender, message_id=_own_id(stanza)),
            # Right here: what is kept of a message of some hundred kB may have to wait for hours.
            text=kept[:LONGEST_TEXT],
            left_out=max(0, len(kept) - LONGEST_TEXT),
            offers=offers,
            replies_to=shared.replies_to,
            replies_to_bot=sender.in_public and shared.replies_to_author == f"{sender.room}/{nick}",
            replaces=replaced_id(stanza),
            ids=ids,
            language=language_of(stanza),
            by_bot=shared.by_bot,
            addressed=said is not None,
            delayed_since=delayed_since(stanza),
            wants_chat_states=in_namespace(stanza, CHAT_STATES),
        )


def _own_id(stanza: Element) -> str:
    """Return the id by which replies refer to a message in private (XEP-0461 section 3.1)."""
    origin = first(stanza, STANZA_IDS, "origin-id")
    given = None if origin is None else origin.get("id")
    return (given or stanza.get("id") or "")[:MAX_ID]
