"""Ports: protocols by which the inner code uses adapters, each with its contract.

Every implementation of a port passes the suite in ``tests/contract`` that has its name, the fakes in
``filebot.testing`` included. All methods may be called from many tasks at once. Cancelling a call is
always allowed and leaves nothing half done that a reader could see.
"""

from filebot.ports.attachments import MOST_ATTACHED_BYTES, MOST_ATTACHMENTS, Attachments
from filebot.ports.backends import BackendServices, Scanner, SourceServices
from filebot.ports.blobs import BlobStore, BlobWriter, Data
from filebot.ports.catalog import Catalog
from filebot.ports.chat import MOST_LANGUAGES_OF_ROOM, Languages, Messenger
from filebot.ports.command_forms import CommandFill, CommandForms
from filebot.ports.cursors import Cursors, Subscriptions
from filebot.ports.entries import CLOCKS_DIFFER_BY, MOST_TOMBSTONES_OF_ARCHIVE, Entries, Released
from filebot.ports.file_messages import (
    MOST_FILE_MESSAGES,
    MOST_FILE_MESSAGES_OF_PLACE,
    FileMessages,
)
from filebot.ports.filetype import Inspector
from filebot.ports.jobs import (
    LONGEST_ERROR,
    LONGEST_PAYLOAD,
    MOST_BYTES,
    MOST_BYTES_OF_PLUGIN,
    MOST_DEAD_OF_PLUGIN,
    MOST_JOBS,
    MOST_JOBS_OF_PLUGIN,
    JobStore,
)
from filebot.ports.links import Links
from filebot.ports.plugin_data import MOST_PLUGIN_BYTES, VALUE_OVERHEAD_BYTES, PluginData
from filebot.ports.plugin_tables import PluginTables
from filebot.ports.queue import MOST_SENT, DeliveryStore, Queue, SentFiles
from filebot.ports.rooms import MOST_PROVEN, Histories, OccupantProofs, Rooms, RoomStore
from filebot.ports.transfer import (
    Download,
    FileRequest,
    HttpTransfer,
    StreamOffer,
    Streams,
    UploadService,
    UrlSource,
)

__all__ = [
    "CLOCKS_DIFFER_BY",
    "LONGEST_ERROR",
    "LONGEST_PAYLOAD",
    "MOST_ATTACHED_BYTES",
    "MOST_ATTACHMENTS",
    "MOST_BYTES",
    "MOST_BYTES_OF_PLUGIN",
    "MOST_DEAD_OF_PLUGIN",
    "MOST_FILE_MESSAGES",
    "MOST_FILE_MESSAGES_OF_PLACE",
    "MOST_JOBS",
    "MOST_JOBS_OF_PLUGIN",
    "MOST_LANGUAGES_OF_ROOM",
    "MOST_PLUGIN_BYTES",
    "MOST_PROVEN",
    "MOST_SENT",
    "MOST_TOMBSTONES_OF_ARCHIVE",
    "VALUE_OVERHEAD_BYTES",
    "Attachments",
    "BackendServices",
    "BlobStore",
    "BlobWriter",
    "Catalog",
    "CommandFill",
    "CommandForms",
    "Cursors",
    "Data",
    "DeliveryStore",
    "Download",
    "Entries",
    "FileMessages",
    "FileRequest",
    "Histories",
    "HttpTransfer",
    "Inspector",
    "JobStore",
    "Languages",
    "Links",
    "Messenger",
    "OccupantProofs",
    "PluginData",
    "PluginTables",
    "Queue",
    "Released",
    "RoomStore",
    "Rooms",
    "Scanner",
    "SentFiles",
    "SourceServices",
    "StreamOffer",
    "Streams",
    "Subscriptions",
    "UploadService",
    "UrlSource",
]
