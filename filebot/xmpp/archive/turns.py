"""Speakers and listeners in an archive, and the messages that an earlier run of the bot has answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from xml.etree.ElementTree import Element

from filebot.model import BareJid
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.xml import jid_or_none, sender_of


@dataclass(frozen=True, slots=True)
class Turn:
    """Speaker and listener of one message."""

    ours: bool
    """The bot itself spoke."""
    party: BareJid | None
    """The other side: a person, or a whole room."""


def private_turn(own: BareJid, message: Element) -> Turn:
    """Tell who spoke to whom, in the archive of ``own``."""
    sender, to = sender_of(message), jid_or_none(message.get("to"))
    ours = sender is not None and sender.bare == own
    party = to if ours else sender
    return Turn(ours, None if party is None else party.bare)


def with_answers(
    messages: Sequence[Archived], turn: Callable[[Element], Turn], began: datetime
) -> list[Archived]:
    """Return the messages, each with whether a run before ``began`` seems to have answered it.

    The bot's answers are in the archive, too; the position may have been lost with a process that was
    killed.
    """
    found, spoken_to = list[Archived](), set[BareJid | None]()
    for each in reversed(messages):
        its = turn(each.message)
        if its.ours and each.at < began:
            spoken_to.add(its.party)
        answered = not its.ours and its.party is not None and its.party in spoken_to
        found.append(replace(each, answered=answered))
    return found[::-1]
