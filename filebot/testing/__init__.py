"""For the tests of plugins, and of filebot itself: a bot without a server, and fakes of all ports."""

from filebot.catalog import open_catalog
from filebot.errors import ConfigError
from filebot.testing.bot import BotWith, FakeBot
from filebot.testing.inspector import InspectorByName
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room

__all__ = [
    "ADMIN",
    "ALICE",
    "BOB",
    "ROOM",
    "BotWith",
    "ConfigError",
    "FakeBot",
    "InspectorByName",
    "in_room",
    "open_catalog",
    "through_room",
]
