"""Frozen values that the rest of filebot speaks of, without I/O; imported from here alone."""

from filebot.model.delivery import (
    Client,
    Link,
    Method,
    Negotiation,
    Progress,
    QueuedDelivery,
    Slot,
    StreamMethod,
)
from filebot.model.files import BlobRef, Digest, Entry, FileKind, NewEntry, Offer, StorageUsage
from filebot.model.http import HttpRequest, HttpResponse
from filebot.model.jobs import DeadJob, Job, JobKind, NewJob, Outbox
from filebot.model.messages import (
    LONGEST_TEXT,
    ArchivePosition,
    EncryptedMessage,
    HistoryPage,
    IncomingMessage,
)
from filebot.model.people import (
    Address,
    AddressKind,
    BareJid,
    Identity,
    MessageRef,
    Occupant,
    RoomRole,
    Scope,
    Sender,
    as_bare_jid,
)
from filebot.model.plugin_data import DataKey, DataOwner, OwnerKind
from filebot.model.proxy_state import ProxyState
from filebot.model.quantities import LARGEST_BYTES, size_bytes
from filebot.model.rooms import (
    HistoryImport,
    Invitation,
    JsonValue,
    RememberedRoom,
    SavedRoomSetting,
    SettingKey,
)

__all__ = [
    "LARGEST_BYTES",
    "LONGEST_TEXT",
    "Address",
    "AddressKind",
    "ArchivePosition",
    "BareJid",
    "BlobRef",
    "Client",
    "DataKey",
    "DataOwner",
    "DeadJob",
    "Digest",
    "EncryptedMessage",
    "Entry",
    "FileKind",
    "HistoryImport",
    "HistoryPage",
    "HttpRequest",
    "HttpResponse",
    "Identity",
    "IncomingMessage",
    "Invitation",
    "Job",
    "JobKind",
    "JsonValue",
    "Link",
    "MessageRef",
    "Method",
    "Negotiation",
    "NewEntry",
    "NewJob",
    "Occupant",
    "Offer",
    "Outbox",
    "OwnerKind",
    "Progress",
    "ProxyState",
    "QueuedDelivery",
    "RememberedRoom",
    "RoomRole",
    "SavedRoomSetting",
    "Scope",
    "Sender",
    "SettingKey",
    "Slot",
    "StorageUsage",
    "StreamMethod",
    "as_bare_jid",
    "size_bytes",
]
