"""Subscriptions (RFC 6121 section 3): served people become contacts, both ways; others are told why not.

Clients offer files only to contacts whose presence they see, so the bot subscribes back.

An account's roster is kept by its server. A component has none: it answers every request and every probe
(section 4.3.2) by what it is told of the person, and keeps itself who sees it (:mod:`subscribers`).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final
from xml.etree.ElementTree import Element

from cachetools import FIFOCache

from filebot.concurrency.tasks import Tasks
from filebot.model import BareJid
from filebot.ports import Subscriptions
from filebot.protocol.profile import write_nick
from filebot.xmpp.connection.own_addresses import is_own
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.presence.subscribers import Subscribers
from filebot.xmpp.xml import jid_or_none, language_of, sender_of

log = logging.getLogger(__name__)

MOST_ASKED: Final = 10_000
MOST_WAITING: Final = 1_000
"""Requests to a component that wait for the disk."""
Subscribed = Callable[[BareJid, BareJid, str | None], Coroutine[object, object, None]]
"""Is given a person, the bot's address that they asked to see, and the language of their client."""

PRIORITY: Final = 127
"""The highest: what people write to the account may go to its other clients as well, but never past the bot
(RFC 6121 section 8.5.2.1)."""


class Contacts:
    """Answers presences that are not from rooms, and shows the bot to others."""

    def __init__(
        self,
        stream: Stream,
        settings: SessionSettings,
        may_subscribe: Callable[[str], bool],
        unserved_reason: str,
        kept: Subscriptions | None = None,
        on_subscribed: Subscribed | None = None,
    ) -> None:
        """``on_subscribed`` is told who was let see the bot."""
        self._stream = stream
        self._status, self._name = settings.status, settings.profile.name
        self._may_subscribe = may_subscribe
        self.unserved_reason = unserved_reason
        """It may be replaced."""
        self._asked = FIFOCache[int, None](MOST_ASKED)  # by hashes
        self._subscribers = Subscribers(stream, kept, settings.status, may_subscribe)
        self._on_subscribed = on_subscribed
        self._work = Tasks(MOST_WAITING)
        self._in_order = asyncio.Lock()

    def known_as(self, person: BareJid) -> BareJid:
        """By which address a person knows the bot; the main one unless they subscribed to another."""
        return self._subscribers.known_as(person) or str(self._stream.boundjid.bare)

    def presence(self, stanza: Element) -> None:
        """Take a presence; those that ask for nothing are ignored."""
        person = sender_of(stanza)
        if person is None or is_own(self._stream, person):
            return
        kind = stanza.get("type", "")
        language = language_of(stanza)
        if not self._stream.is_component:
            self._answer(person.bare, str(self._stream.boundjid.bare), kind, language)
            return
        to = jid_or_none(stanza.get("to"))
        if to is not None and kind in {"subscribe", "unsubscribe", "unsubscribed", "probe"}:
            self._work.start(self._answer_as_component(person.bare, to.bare, kind, language), "a contact")

    def show(self) -> None:
        """Let all contacts see that the bot is there."""
        if self._stream.is_component:
            self._work.start(self._subscribers.greet(), "presence to all contacts")
        else:
            self._stream.make_presence(pstatus=self._status, ppriority=PRIORITY).send()

    async def say_goodbye(self, words: str) -> None:
        """Let all contacts see that the bot goes."""
        await self.close()
        if self._stream.is_component:
            self._subscribers.say_goodbye(words)
        else:
            self._stream.make_presence(pshow="unavailable", pstatus=words).send()

    async def close(self) -> None:
        """End what is under way."""
        await self._work.close()

    async def _answer_as_component(
        self, person: BareJid, own: BareJid, kind: str, language: str | None
    ) -> None:
        async with self._in_order:
            # First on the disk: whoever is told that they see the bot does so after a restart, too.
            if kind == "unsubscribe":
                await self._subscribers.remove(person, own)
            elif kind in {"subscribe", "probe"} and self._may_subscribe(person):
                await self._subscribers.add(person, own)
            self._answer(person, own, kind, language)

    def _answer(self, person: BareJid, own: BareJid, kind: str, language: str | None) -> None:
        if kind == "unsubscribe":
            self._send(person, own, "unsubscribed")
            self._send(person, own, "unsubscribe")
        if kind in {"unsubscribe", "unsubscribed"}:
            self._asked.pop(hash((person, own)), None)
        elif kind in {"subscribe", "probe"}:
            self._request(person, own, kind, language)

    def _request(self, person: BareJid, own: BareJid, kind: str, language: str | None) -> None:
        if not self._may_subscribe(person):
            log.info("%s from %s declined", kind, person)
            self._send(person, own, "unsubscribed", self.unserved_reason)
            return
        if kind == "subscribe":
            self._send(person, own, "subscribed")
            self._subscribe_back(person, own)
        if self._stream.is_component:
            # An account's server does this by itself.
            self._subscribers.show(person, own)
        if kind == "subscribe" and self._on_subscribed is not None:
            # After the answer: a message from somebody who is no contact yet may be held back.
            shown = own if self._stream.is_component else ""
            self._work.start(self._on_subscribed(person, shown, language), "the news of a contact")

    def _subscribe_back(self, person: BareJid, own: BareJid) -> None:
        # Two bots that always ask back would never stop.
        if hash((person, own)) in self._asked:
            return
        self._asked[hash((person, own))] = None
        self._send(person, own, "subscribe", nick=self._name)

    def _send(
        self, person: BareJid, own: BareJid, kind: str, status: str | None = None, *, nick: str = ""
    ) -> None:
        # RFC 6121 section 3.1.1: subscriptions are between bare JIDs.
        sender = own if self._stream.is_component else None
        presence = self._stream.make_presence(pshow=kind, pto=person, pfrom=sender, pstatus=status)
        if nick:
            presence.xml.append(write_nick(nick))  # XEP-0172 section 4.1
        presence.send()
