"""Discovery of ad-hoc commands (XEP-0050 section 2): each asker is shown what they may use.

slixmpp keeps a list for all, and forgets it with the session; here everything is asked for anew.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Final
from xml.etree.ElementTree import Element

from filebot.concurrency.tasks import Tasks
from filebot.model import BareJid, Sender
from filebot.ports import CommandForms
from filebot.protocol.adhoc import (
    COMMANDS,
    LONGEST_NODE,
    NO_SUCH_COMMAND,
    write_command_info,
    write_items,
    write_list_info,
)
from filebot.protocol.disco import INFO, ITEMS
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.connection.disco_features import CAPS_NODE
from filebot.xmpp.xml import language_of

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 15.0
MOST_QUESTIONS: Final = 500
MOST_OF_ONE: Final = 10
"""Questions at once, of all and of one client."""

_BUSY: Final = StanzaError("resource-constraint", "wait")
_FAILED: Final = StanzaError("internal-server-error")


class CommandDiscovery:
    """Answers to disco#items and disco#info about commands."""

    def __init__(
        self,
        fast_path: IqFastPath,
        commands: Callable[[], CommandForms | None],
        asker: Callable[[Element], Sender | None],
        is_there: Callable[[Sender], bool],
        nick_in: Callable[[BareJid], str],
        name: str,
    ) -> None:
        """``asker`` reads who sent an iq, None for nobody whom the bot answers; ``is_there`` tells whether
        the address of an asker is still theirs; ``nick_in`` is the bot's nick in a room; ``name`` is the
        bot's.
        """
        self._fast_path = fast_path
        self._commands = commands
        self._asker = asker
        self._is_there = is_there
        self._nick_in = nick_in
        self._name = name
        self._tasks = Tasks(MOST_QUESTIONS)
        self._asking = Counter[str]()
        fast_path.serve_questions(f"{{{ITEMS}}}query", self._asked_for_items)
        fast_path.serve_questions(f"{{{INFO}}}query", self._asked_for_info)

    async def close(self) -> None:
        """End all that is under way."""
        await self._tasks.close()

    def _asked_for_items(self, request: Request) -> bool:
        commands = self._commands()
        if commands is None or request.payload.get("node") != COMMANDS:
            return False
        sender, language = self._asked_by(request)
        self._start(request, sender, self._items(commands, request.own, sender, language))
        return True

    def _asked_for_info(self, request: Request) -> bool:
        commands, node = self._commands(), request.payload.get("node", "")
        # XEP-0115 section 6.2: at nodes of our caps is what the bot itself has.
        if commands is None or not node or node.startswith(f"{CAPS_NODE}#"):
            return False
        if node == COMMANDS:
            self._fast_path.answer(request, write_list_info(self._name))
        elif len(node) > LONGEST_NODE:
            self._fast_path.refuse(request, NO_SUCH_COMMAND)
        else:
            sender, language = self._asked_by(request)
            self._start(request, sender, self._info(commands, node, sender, language))
        return True

    def _asked_by(self, request: Request) -> tuple[Sender | None, str | None]:
        return self._asker(request.stanza), language_of(request.stanza)

    async def _items(
        self, commands: CommandForms, own: str, sender: Sender | None, language: str | None
    ) -> Element:
        if sender is None:
            return write_items(own, ())
        if sender.room:
            # Through a room the bot has the address of an occupant, by which it is to be asked further.
            own = f"{sender.room}/{self._nick_in(sender.room)}"
        return write_items(own, await commands.items(sender, language))

    async def _info(
        self, commands: CommandForms, node: str, sender: Sender | None, language: str | None
    ) -> Element | None:
        item = sender and await commands.item(sender, language, node)
        return write_command_info(item) if item else None

    def _start(
        self, request: Request, sender: Sender | None, finding: Coroutine[None, None, Element | None]
    ) -> None:
        is_taken = self._asking[request.peer] < MOST_OF_ONE
        if not is_taken:
            finding.close()
        elif is_taken := self._tasks.start(
            self._answer(request.bare, sender, finding), "discovery of commands"
        ):
            self._asking[request.peer] += 1
        else:
            finding.close()
        if not is_taken:
            self._fast_path.refuse(request, _BUSY)

    async def _answer(
        self, request: Request, sender: Sender | None, finding: Coroutine[None, None, Element | None]
    ) -> None:
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                found = await finding
        except Exception:
            log.exception("the commands for %s were not found", request.peer)
            self._fast_path.refuse(request, _FAILED)
        else:
            if sender is not None and not self._is_there(sender):
                log.info("%s is not who asked any more; nothing is told there", request.peer)
            elif found is None:
                self._fast_path.refuse(request, NO_SUCH_COMMAND)
            elif self._fast_path.fits(request, found):
                self._fast_path.answer(request, found)
            else:
                log.error("not told: the commands for %s are too many for a stanza", request.peer)
                self._fast_path.refuse(request, _BUSY)
        finally:
            self._asking -= Counter((request.peer,))
