"""An event costs nothing where no plugin listens to it, and a context makes only what is asked for."""

from typing import Any
from unittest.mock import Mock

from filebot.checks.checks import Checks
from filebot.events.bus import EventBus
from filebot.events.facts import Event, FileStored, LinkReceived
from filebot.files.shown_files import ShownFiles
from filebot.model import Address, Sender
from filebot.plugin import Plugin
from filebot.plugin.blocking import BlockingWork
from filebot.plugin.calls import PluginCalls
from filebot.plugin.commands import CommandList
from filebot.plugin.context import Context, Factories
from filebot.plugin.conversation import Channel, ChatState
from filebot.plugin.gathered_replies import GatheredReplies
from filebot.plugin.lifespan import LifeServices, Lifespans
from filebot.plugin.listeners import PluginListener
from filebot.replies import Replies
from filebot.replies.renderer import ReplySender
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.messenger import RecordingMessenger

ANNA = Sender(Address("anna@example.org"), "anna@example.org")


class CountingCatalog(MemoryCatalog):
    asked = 0

    async def language(self, jid: str) -> str | None:
        self.asked += 1
        return await super().language(jid)


async def test_an_event_without_listeners_asks_the_catalog_nothing() -> None:
    heard, catalog = list[Event](), CountingCatalog()
    channel = Channel(
        ReplySender(RecordingMessenger(), Replies(), catalog),
        EventBus(),
        ChatState(shown := ShownFiles(catalog.file_messages), GatheredReplies(shown)),
    )

    async def listen(ctx: Context[Any], event: Event) -> None:
        heard.append(event)

    def not_asked_for(*_: object) -> Any:
        raise AssertionError("nobody asked for it")

    services: list[Any] = [*[not_asked_for] * 4, BlockingWork()]
    nobodys = Lifespans(LifeServices(*services))
    unused: list[Any] = [not_asked_for] * 7
    factories = Factories(*[*unused, nobodys, *[not_asked_for] * 4])
    stored, link = (
        PluginListener("notes", kind, listen, "listener 'listen'") for kind in (FileStored, LinkReceived)
    )
    event = LinkReceived(ANNA, None, "https://example.org/")
    for listeners, asked in ([stored], 0), ([stored, link], 1):
        calls = PluginCalls(
            channel,
            CommandList([]),
            listeners,
            {"notes": None},
            factories,
            grants={"notes": Plugin[None]("notes", api=1).grants},
            authorization=Mock(),
            checks=Checks(),
            clock=not_asked_for,
            consent=not_asked_for,
            room_setting_of=not_asked_for,
        )
        await calls.listeners.tell(event)
        assert catalog.asked == asked
    assert heard == [event]
