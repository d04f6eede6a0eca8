"""Reading a message archive in pages (XEP-0313, paged by XEP-0059).

Anybody may write a message that looks like a result. Those that count come from the archive that was asked,
while it is asked, and name the question by an id that nobody else can know (XEP-0313 section 4.2).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import PeerProtocolError
from filebot.model import BareJid
from filebot.protocol.archive_cursor import message_key
from filebot.protocol.xml import first
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.xml import FORM, FORWARD, delayed_since, is_from

MAM: Final = "urn:xmpp:mam:2"
RESULT: Final = f"{{{MAM}}}result"
RSM: Final = "http://jabber.org/protocol/rsm"  # XEP-0059

PAGE: Final = 50
"""Messages asked for at once: Prosody gives no more."""
LIMIT_S: Final = 30.0
LONGEST_ID: Final = 500
"""Longest id that an archive gives: such are stored, and XEP-0313 names no bound. What is called by more is
not caught up with."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One message as the archive keeps it."""

    id: str
    at: datetime
    """When it was archived, in UTC."""
    message: Element
    answered: bool = False
    """Something was said to its sender afterwards by an earlier run of the bot: perhaps it is done."""

    @property
    def key(self) -> str:
        """Key by which the message is known: two may have one id."""
        return message_key(self.id, self.message)


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Some messages, the oldest first."""

    messages: Sequence[Archived]
    last_id: str
    """After which the next page begins; empty if there is none."""
    complete: bool
    """Nothing comes after these."""


def took_result(stream: Stream, stanza: Element) -> bool:
    """Take a message if it is a result of a query that is under way; return whether it is."""
    result = first(stanza, MAM, "result")
    take = None if result is None else stream.archive_queries.get(result.get("queryid", ""))
    return take is not None and take(stanza)


class MessageArchive:
    """The archive of one address."""

    def __init__(self, stream: Stream, jid: BareJid) -> None:
        """``jid`` is the bot's own bare JID, or that of a room."""
        self._stream = stream
        self._jid = jid

    async def newest(self, before: str = "") -> Archived | None:
        """The last message of all, or the last before this id; None if there is none.

        Raises as :meth:`page`.
        """
        _, results = await self._ask(before=before, most=1)
        return results[-1] if results else None

    async def latest(self, before: str = "") -> list[Archived]:
        """The newest messages, or those right before this id; the oldest first. Raises as :meth:`page`."""
        _, results = await self._ask(before=before)
        return results

    async def page(self, after: str = "", start: datetime | None = None) -> ArchivePage:
        """The messages after this id, or from this moment on.

        Raises XMPPError, ``item-not-found`` if the id is not there any more, and PeerProtocolError, also if
        there is nothing in a page after which others are to come: so nobody is led on for ever for nothing.
        """
        fin, results = await self._ask(after, start)
        complete = fin.get("complete") in {"true", "1"}
        last_id = _last(fin) or (results[-1].id if results else "")
        if not complete and (not results or last_id in {"", after}):
            raise PeerProtocolError("an archive that does not go on")
        return ArchivePage(results, last_id, complete)

    async def _ask(
        self,
        after: str = "",
        start: datetime | None = None,
        *,
        most: int = PAGE,
        before: str | None = None,
    ) -> tuple[Element, list[Archived]]:
        iq = self._stream.make_iq_set(ito=self._jid, ifrom=self._stream.boundjid)
        query, results = secrets.token_hex(8), list[Archived]()
        iq.xml.append(_question(query, after, start, most, before))
        self._stream.archive_queries[query] = partial(self._take, results)
        try:
            answer = await ask(self._stream, iq, LIMIT_S)
        finally:
            del self._stream.archive_queries[query]
        fin = first(answer.xml, MAM, "fin")
        if fin is None:
            raise PeerProtocolError("an archive's answer without an end")
        return fin, results

    def _take(self, results: list[Archived], stanza: Element) -> bool:
        """Take a message with the id of a query; return whether the archive itself sent it."""
        result = first(stanza, MAM, "result")
        if result is None or not is_from(stanza, self._jid, str(self._stream.boundjid.bare)):
            return False
        archived = _archived(result)
        if archived is not None and len(results) < PAGE:
            results.append(archived)
        return True


def _question(query: str, after: str, start: datetime | None, most: int, before: str | None) -> Element:
    """Ask for a page, or for what is right before an id: for the last ones of all if that is empty."""
    question = Element(f"{{{MAM}}}query", {"queryid": query})
    if start is not None:
        form = SubElement(question, f"{{{FORM}}}x", {"type": "submit"})
        _field(form, "FORM_TYPE", MAM)
        _field(form, "start", start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))  # XEP-0082
    pages = SubElement(question, f"{{{RSM}}}set")
    SubElement(pages, f"{{{RSM}}}max").text = str(most)
    if before is not None:
        SubElement(pages, f"{{{RSM}}}before").text = before or None  # XEP-0059 sections 2.3 and 2.5
    if after:
        SubElement(pages, f"{{{RSM}}}after").text = after
    return question


def _field(form: Element, name: str, value: str) -> None:
    field = SubElement(form, f"{{{FORM}}}field", {"var": name})
    SubElement(field, f"{{{FORM}}}value").text = value


def _archived(result: Element) -> Archived | None:
    message_id, forwarded = result.get("id", ""), first(result, FORWARD, "forwarded")
    if not 0 < len(message_id) <= LONGEST_ID or forwarded is None:
        return None
    at, message = delayed_since(forwarded), first(forwarded, "jabber:client", "message")
    return None if at is None or message is None else Archived(message_id, at, message)


def _last(fin: Element) -> str:
    pages = first(fin, RSM, "set")
    last = None if pages is None else first(pages, RSM, "last")
    return "" if last is None else (last.text or "")[:LONGEST_ID]
