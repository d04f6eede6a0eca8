"""Services behind the files of a context, by subject."""

from dataclasses import dataclass

from filebot.delivery.sending import Sending
from filebot.delivery.worker import DeliveryWorker
from filebot.files.access import FileAccessFactory
from filebot.files.drops import Drops
from filebot.files.handover import Handover
from filebot.files.quota import Quota
from filebot.files.removal import Removal
from filebot.files.renaming import Renaming
from filebot.files.transfers import Transfers
from filebot.plugin.file_content import ContentServices
from filebot.ports import Entries, Links
from filebot.rooms.unasked_files import UnaskedFiles


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """Services for stored files, and for storing them."""

    entries: Entries
    drops: Drops
    renaming: Renaming
    removal: Removal
    quota: Quota
    handover: Handover
    links: Links


@dataclass(frozen=True, slots=True)
class OutgoingFiles:
    """Services for files on their way to somebody."""

    sending: Sending
    worker: DeliveryWorker
    transfers: Transfers


@dataclass(frozen=True, slots=True)
class RoomFiles:
    """Services for the files of rooms."""

    unasked: UnaskedFiles


@dataclass(frozen=True, slots=True)
class FileServices:
    """All of them."""

    access: FileAccessFactory
    content: ContentServices
    stored: StoredFiles
    outgoing: OutgoingFiles
    of_rooms: RoomFiles
