"""The whole catalog: all of its narrow protocols at once."""

from typing import Protocol

from filebot.ports.attachments import Attachments
from filebot.ports.chat import Languages
from filebot.ports.cursors import Cursors, Subscriptions
from filebot.ports.entries import Entries
from filebot.ports.file_messages import FileMessages
from filebot.ports.jobs import JobStore
from filebot.ports.links import Links
from filebot.ports.plugin_data import PluginData
from filebot.ports.plugin_tables import PluginTables
from filebot.ports.queue import DeliveryStore, SentFiles
from filebot.ports.rooms import OccupantProofs, RoomStore


class Catalog(Entries, Links, RoomStore, DeliveryStore, Languages, Cursors, Subscriptions, Protocol):
    """All that is stored about files, rooms and people, in one database.

    Its users take the narrow protocols. Every method that changes something returns only after the change
    would survive a power cut. All raise CatalogUnavailable when the database cannot be used.
    """

    @property
    def attachments(self) -> Attachments:
        """Files that plugins derived from entries."""

    @property
    def file_messages(self) -> FileMessages:
        """Messages that brought or showed files."""

    @property
    def sent_files(self) -> SentFiles:
        """Files whose messages may come back."""

    @property
    def occupant_proofs(self) -> OccupantProofs:
        """People who have shown which occupants they are."""

    @property
    def jobs(self) -> JobStore:
        """The plugins' jobs, in the same database."""

    @property
    def plugin_data(self) -> PluginData:
        """Values of plugins."""

    @property
    def plugin_tables(self) -> PluginTables:
        """Tables of plugins."""
