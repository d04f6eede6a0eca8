"""Subscriptions (RFC 6121 section 3): served people become contacts, both ways; others are told why not.

Clients offer files only to contacts whose presence they see, so the bot subscribes back.

An account's roster is kept by its server. A component has none: it answers every request and every probe
(section 4.3.2) by what it is told of the person, and remembers only whom it has asked already.
"""

import logging
from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.jid import JID

from filebot.xmpp.elements import sender_of
from filebot.xmpp.settings import SessionSettings
from filebot.xmpp.stream import Stream

log = logging.getLogger(__name__)

MOST_ASKED: Final = 10_000


class Contacts:
    """Answers presences that are not from rooms."""

    def __init__(
        self,
        stream: Stream,
        settings: SessionSettings,
        may_subscribe: Callable[[str], bool],
        unserved_reason: str,
    ) -> None:
        self._stream = stream
        self._status = settings.status
        self._may_subscribe = may_subscribe
        self._reason = unserved_reason
        self._asked: dict[int, None] = {}  # by hashes

    def presence(self, stanza: Element) -> None:
        """Take a presence; those that ask for nothing are ignored."""
        person = sender_of(stanza)
        if person is None or person.bare == self._stream.boundjid.bare:
            return
        kind = stanza.get("type")
        if kind == "unsubscribe":
            self._send(person, "unsubscribed")
            self._send(person, "unsubscribe")
        if kind in {"unsubscribe", "unsubscribed"}:
            self._asked.pop(hash(person.bare), None)
        elif kind in {"subscribe", "probe"}:
            self._request(person, kind)

    def _request(self, person: JID, kind: str) -> None:
        if not self._may_subscribe(person.bare):
            log.info("%s from %s declined", kind, person.bare)
            self._send(person, "unsubscribed", self._reason)
            return
        if kind == "subscribe":
            self._send(person, "subscribed")
            self._subscribe_back(person)
        if self._stream.is_component:
            # An account's server does this by itself.
            self._send(person, None, self._status)

    def _subscribe_back(self, person: JID) -> None:
        # Two bots that always ask back would never stop.
        if hash(person.bare) in self._asked:
            return
        self._asked[hash(person.bare)] = None
        if len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._send(person, "subscribe")

    def _send(self, person: JID, kind: str | None, status: str | None = None) -> None:
        about_presence = kind is None
        # RFC 6121 section 3.1.1: subscriptions are between bare JIDs.
        own = self._stream.boundjid.full if about_presence else self._stream.boundjid.bare
        sender = own if self._stream.is_component else None
        self._stream.make_presence(pshow=kind, pto=person.bare, pfrom=sender, pstatus=status).send()
