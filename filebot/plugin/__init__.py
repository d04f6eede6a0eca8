"""The whole plugin API: declarations of plugins, and the context of their handlers.

A plugin is one module with a variable ``plugin``. Its docstring is its manual, a command's docstring its
help line, ``settings`` a dataclass that becomes its table in the config, checked at start::

    plugin = Plugin("echo", api=1, templates={"said": "You said {{ words }}."})

    @plugin.command("echo", usage="echo WORDS")
    async def echo(ctx: Context[None], words: str) -> None:
        '''Say it again.'''
        await ctx.reply("echo/said", words=words)

Handlers are coroutines. They do no I/O of their own; blocking work goes through
:meth:`Context.run_blocking`. Errors of :mod:`filebot.errors` that they raise become replies.
"""

from typing import TYPE_CHECKING

from filebot.checks.acts import (
    Act,
    CommandCalled,
    FileOffered,
    FileReceived,
    FileRemoving,
    FileRenaming,
    FileRequested,
)
from filebot.concurrency.isolated import Limits
from filebot.delivery.route_planner import Plan, PlannedRoute, Uploads
from filebot.errors import (
    BadCommand,
    BadValue,
    BlobCorrupt,
    FilebotError,
    ForbiddenTarget,
    IsolatedError,
    NoHistory,
    NoSuchEntry,
    NotAllowed,
    NoUploadService,
    PeerGone,
    PluginError,
    PluginStoreFull,
    QuotaExceeded,
    Refusal,
    ReloadRefused,
    StorageError,
    TransferError,
    UnknownCommand,
    UserError,
)
from filebot.events.facts import (
    CaptionChanged,
    DeliveryAbandoned,
    DeliveryQueued,
    DeliveryStarted,
    Event,
    FileAutoArchived,
    FileDelivered,
    FileQueued,
    FileRefused,
    FileRemoved,
    FileRenamed,
    FileShared,
    FileStored,
    Greeted,
    HistoryImportFinished,
    HistoryImportProgressed,
    InvitationAccepted,
    LinkReceived,
    OwnerChanged,
    PersonOnline,
    PersonSubscribed,
    RemovalReason,
    RoomDestroyed,
    RoomFilePosted,
    RoomFilesAdded,
    RoomJoined,
    RoomLeft,
)
from filebot.files.offers import name_of
from filebot.model import (
    Address,
    AddressKind,
    Client,
    Entry,
    EntryFilter,
    HistoryImport,
    HistoryPage,
    HttpRequest,
    HttpResponse,
    Identity,
    IncomingMessage,
    Method,
    Offer,
    ProxyState,
    Sender,
    StorageUsage,
)
from filebot.plugin import deprecated
from filebot.plugin.arguments import Between, Duration, Entries, Jid, Link, Room, Size, When, Words, exact
from filebot.plugin.commands import Command, CommandList
from filebot.plugin.context import Context
from filebot.plugin.conversation import Page
from filebot.plugin.database import PluginDatabase
from filebot.plugin.declare import Plugin
from filebot.plugin.delivery import DeliveryAccess
from filebot.plugin.file_reader import FileData, FileReader
from filebot.plugin.files import Files
from filebot.plugin.http import Http
from filebot.plugin.lifespan import Life, Lifespan
from filebot.plugin.permissions import CommandGroup, Permission, Place
from filebot.plugin.reload import Reloaded
from filebot.plugin.room_files import FilesOfRoom
from filebot.plugin.rooms import RoomAccess
from filebot.plugin.store import PluginStore
from filebot.ports import Download, SourceServices, UrlSource
from filebot.reading.phrases import read_phrases
from filebot.rooms.setting_types import ByteSize, Choice, Number, RoomSetting

__all__ = [
    "Act",
    "Address",
    "AddressKind",
    "BadCommand",
    "BadValue",
    "Between",
    "BlobCorrupt",
    "ByteSize",
    "CaptionChanged",
    "Choice",
    "Client",
    "Command",
    "CommandCalled",
    "CommandGroup",
    "CommandList",
    "Context",
    "DeliveryAbandoned",
    "DeliveryAccess",
    "DeliveryQueued",
    "DeliveryStarted",
    "Download",
    "Duration",
    "Entries",
    "Entry",
    "EntryFilter",
    "Event",
    "FileAutoArchived",
    "FileData",
    "FileDelivered",
    "FileOffered",
    "FileQueued",
    "FileReader",
    "FileReceived",
    "FileRefused",
    "FileRemoved",
    "FileRemoving",
    "FileRenamed",
    "FileRenaming",
    "FileRequested",
    "FileShared",
    "FileStored",
    "FilebotError",
    "Files",
    "FilesOfRoom",
    "ForbiddenTarget",
    "Greeted",
    "HistoryImport",
    "HistoryImportFinished",
    "HistoryImportProgressed",
    "HistoryPage",
    "Http",
    "HttpRequest",
    "HttpResponse",
    "Identity",
    "IncomingMessage",
    "InvitationAccepted",
    "IsolatedError",
    "Jid",
    "Life",
    "Lifespan",
    "Limits",
    "Link",
    "LinkReceived",
    "Method",
    "NoHistory",
    "NoSuchEntry",
    "NoUploadService",
    "NotAllowed",
    "Number",
    "Offer",
    "OwnerChanged",
    "Page",
    "PeerGone",
    "Permission",
    "PersonOnline",
    "PersonSubscribed",
    "Place",
    "Plan",
    "PlannedRoute",
    "Plugin",
    "PluginDatabase",
    "PluginError",
    "PluginStore",
    "PluginStoreFull",
    "ProxyState",
    "QuotaExceeded",
    "Refusal",
    "ReloadRefused",
    "Reloaded",
    "RemovalReason",
    "Room",
    "RoomAccess",
    "RoomDestroyed",
    "RoomFilePosted",
    "RoomFilesAdded",
    "RoomJoined",
    "RoomLeft",
    "RoomSetting",
    "Sender",
    "Size",
    "SourceServices",
    "StorageError",
    "StorageUsage",
    "TransferError",
    "UnknownCommand",
    "Uploads",
    "UrlSource",
    "UserError",
    "When",
    "Words",
    "exact",
    "name_of",
    "read_phrases",
]

if not TYPE_CHECKING:  # to a type checker an old name is a mistake

    def __getattr__(name: str) -> object:
        return deprecated.renamed(globals(), name)
