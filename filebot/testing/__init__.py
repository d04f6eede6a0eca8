"""For the tests of plugins, and of filebot itself: a bot without a server, and fakes of all ports."""

from filebot.catalog import open_catalog
from filebot.errors import ConfigError
from filebot.testing.bot import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room

__all__ = [
    "ADMIN",
    "ALICE",
    "BOB",
    "ROOM",
    "ConfigError",
    "FakeBot",
    "in_room",
    "open_catalog",
    "through_room",
]
