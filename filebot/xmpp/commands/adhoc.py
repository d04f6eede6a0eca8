"""Ad-hoc commands of one session (XEP-0050): who may ask, and the parts that answer."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

from filebot.model import Address, BareJid, Sender
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.commands.discovery import CommandDiscovery
from filebot.xmpp.commands.runner import CommandRunner, Says
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.reader import Reader


class AdHocCommands:
    """Answers to all requests about commands, with those that ``handlers`` has at the time."""

    def __init__(
        self,
        fast_path: IqFastPath,
        handlers: Handlers,
        reader: Reader,
        nick_in: Callable[[BareJid], str],
        says: Says,
        name: str,
        *,
        is_same_occupant: Callable[[Address], bool],
        software: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``nick_in`` is the bot's nick in a room; ``name`` is the bot's outside of rooms. ``software``
        gives the node of a client's caps; ``is_same_occupant`` tells, of a nick in a room, whether it still
        belongs to whom it belonged to.
        """

        def is_there(sender: Sender) -> bool:
            return sender.room is None or is_same_occupant(sender.privately.address)

        self._handlers = handlers
        self._reader = reader
        self._runner = CommandRunner(
            fast_path, handlers, self._asker, says, is_there=is_there, software=software
        )
        self._discovery = CommandDiscovery(
            fast_path, lambda: handlers.commands, self._asker, is_there, nick_in, name
        )

    @property
    def are_there(self) -> bool:
        """Whether there are commands to announce."""
        return self._handlers.commands is not None

    async def close(self) -> None:
        """Answer all who wait, and end all that is under way."""
        await self._runner.close()
        await self._discovery.close()

    def _asker(self, iq: Element) -> Sender | None:
        """Return who asks; None for people who are not served. What occupants may do, commands decide."""
        sender = self._reader.asker(iq)
        if sender is None or sender.room is not None:
            return sender
        return sender if sender.jid is not None and self._handlers.is_served(sender.jid) else None
