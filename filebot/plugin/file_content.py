"""Content of stored files, and what a plugin adds to it: new files, attachments and details."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from filebot.errors import BlobCorrupt, NoSuchEntry, StorageError
from filebot.events.facts import Actor
from filebot.files.access import FileAccess
from filebot.files.attaching import Attaching
from filebot.files.damage import naming
from filebot.files.details import DETAILS, merged
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.weights import Weights
from filebot.model import DataOwner, Digest, Entry, JsonValue, Offer, OwnerKind, Sender
from filebot.plugin.file_reader import READING, FileData, FileReader, pieces
from filebot.plugin.store import PluginStore
from filebot.ports import Attachments, BlobStore, Data, Entries, PluginData

_MOST_PLUGINS: Final = 1000
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class ContentServices:
    """Services behind :class:`FileContent`."""

    entries: Entries
    store: BlobStore
    intake: Intake
    attaching: Attaching
    attachments: Attachments
    data: PluginData
    weights: Weights


@dataclass(frozen=True, slots=True)
class GivenData:
    """Data that a plugin gives, as a source of an intake and its download."""

    data: FileData
    plugin: str
    resumable: bool = False
    size: int | None = None
    name: str | None = None
    media_type: str | None = None
    late_hashes: Mapping[str, bytes] = field(default_factory=dict)

    @asynccontextmanager
    async def accept(self, offset: int = 0) -> AsyncIterator["GivenData"]:
        """Open it."""
        yield self

    async def chunks(self) -> AsyncGenerator[Data, None]:
        """Yield the bytes in order."""
        async with aclosing(pieces(self.data, self.plugin)) as given:
            async for piece in given:
                yield piece


class FileContent:
    """Bytes of files, and what belongs to files, as one sender may see them, for one plugin."""

    _content: ContentServices
    _access: FileAccess
    _sender: Sender
    _by: Actor
    _plugin: str
    _loaded: Collection[str]
    """Names of all plugins that are loaded."""

    @asynccontextmanager
    async def path(self, entry: Entry) -> AsyncIterator[Path]:
        """Give a file with the bytes of ``entry``, for libraries that want one: to read, never to write.

        It is there while the context is open, also if the entry is removed meanwhile, and has another name
        than the entry. Raises NoSuchEntry, NotAllowed, or BlobCorrupt if the bytes are lost or damaged.
        """
        current = await self._visible(entry)
        async with AsyncExitStack() as stack:
            yield await self._file(stack, current, current.blob.digest)

    @asynccontextmanager
    async def open(self, entry: Entry) -> AsyncIterator[FileReader]:
        """Give a reader of the bytes of ``entry``. Lives and raises as :meth:`path`."""
        current = await self._visible(entry)
        async with AsyncExitStack() as stack:
            path = await self._file(stack, current, current.blob.digest)
            yield await _reader(stack, path, current.blob.size, current.media_type)

    async def add(
        self, name: str, data: FileData, *, caption: str = "", in_room: bool = False
    ) -> IntakeResult:
        """Store a new file for the person or, with ``in_room``, for the room spoken in.

        It is as if they had sent it: it counts for their quota, its type is found, and FileStored is
        emitted. ``data`` is bytes, or an asynchronous iterator of bytes.

        Raises NotAllowed, EmptyFile, FileTooLarge, QuotaExceeded, RoomQuotaExceeded or StorageError, and
        what the iterator raises; then nothing of it is kept.
        """
        destination = self._destination(in_room=in_room, caption=caption)
        return await self._content.intake.take(GivenData(data, self._plugin), Offer(name=name), destination)

    async def attach(self, entry: Entry, name: str, data: FileData, *, media_type: str) -> None:
        """Attach a file that was derived from an entry, such as a thumbnail, in place of one of this name.

        It goes with the entry, is not listed, and counts for the entry's owner and room. The name is the
        plugin's own. Raises NoSuchEntry, NotAllowed, EmptyFile, QuotaExceeded, RoomQuotaExceeded or
        StorageError; PluginStoreFull for more than ``MOST_ATTACHMENTS`` or ``MOST_ATTACHED_BYTES``.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"the name of an attachment has 1 to {_LONGEST_NAME} characters")
        current = await self._visible(entry)
        async with aclosing(pieces(data, self._plugin)) as given:
            await self._content.attaching.attach(current, self._plugin, name, given, media_type)

    @asynccontextmanager
    async def attached(self, entry: Entry, name: str) -> AsyncIterator[FileReader | None]:
        """Give a reader of what the plugin attached by this name, or None. Lives and raises as
        :meth:`path`.
        """
        current = await self._visible(entry)
        found = await self._content.attachments.attachment(current.id, self._plugin, name)
        async with AsyncExitStack() as stack:
            if found is None:
                yield None
            else:
                path = await self._file(stack, current, found.blob.digest)
                yield await _reader(stack, path, found.blob.size, found.media_type)

    async def detach(self, entry: Entry, name: str) -> None:
        """Remove what the plugin attached by this name. A missing one is no error.

        Raises NoSuchEntry, NotAllowed or StorageError.
        """
        current = await self._visible(entry)
        await self._content.attaching.detach(current, self._plugin, name)

    async def annotate(self, entry: Entry, details: Mapping[str, JsonValue]) -> None:
        """Keep details of an entry, beside those that the plugin keeps of it already; None removes one.

        All plugins can read them. They are the value ``details`` of ``ctx.store.entry(entry)``, and go with
        the entry. Raises ValueError for what is no JSON, or if they would be over ``MOST_DETAILS_BYTES`` in
        all; NoSuchEntry, NotAllowed, PluginStoreFull or StorageError.
        """
        current = await self._visible(entry)
        store = PluginStore(self._content.data, self._plugin).entry(current)
        await store.change(DETAILS, lambda before: merged(before, details), {})

    async def details(self, entry: Entry) -> dict[str, dict[str, Any]]:
        """Return the details that plugins keep of an entry, by the name of the plugin.

        Plugins that are not loaded have none. Raises NoSuchEntry, NotAllowed or StorageError.
        """
        current = await self._visible(entry)
        owner = DataOwner(OwnerKind.ENTRY, str(current.id))
        found = await self._content.data.of_owner(owner, _MOST_PLUGINS, key=DETAILS)
        kept = {plugin: json.loads(text) for plugin, _, text in found if plugin in self._loaded}
        return {plugin: details for plugin, details in kept.items() if isinstance(details, dict)}

    async def set_weight(self, entry: Entry, percent: int) -> None:
        """Let so many percent of a file's bytes count for its owner's quota and its room's, from 0 to 100.

        All of them count at first; 4 KiB for each file count in any case. If its owner, or the room, has
        the same bytes more than once, the largest percentage counts. Raises ValueError for what is no
        percentage; NoSuchEntry, NotAllowed or StorageError; QuotaExceeded or RoomQuotaExceeded for more
        than fits.
        """
        await self._content.weights.change(entry, percent, self._access.must_be_changeable)

    def _destination(self, *, in_room: bool, caption: str) -> Destination:
        """Return where a new file goes: to the person or, with ``in_room``, to the room spoken in.

        Raises NotAllowed.
        """
        access, room = self._access, self._sender.room if in_room else None

        def may_own() -> str:
            return access.own() if room is None else access.speaking_in(room)

        return Destination(may_own(), self._by, room, caption, recheck=may_own)

    async def _visible(self, entry: Entry) -> Entry:
        """Return the entry as it is now. Raises NoSuchEntry if it is gone, or not for the sender."""
        current = await self._content.entries.entry(entry.id)
        if current is None or not self._access.may_see(current, in_public=False):
            raise NoSuchEntry(entry.name)
        return current

    async def _file(self, stack: AsyncExitStack, entry: Entry, digest: Digest) -> Path:
        """Return a file with bytes of an entry, for as long as the stack is open."""
        try:
            with naming(entry):
                return await stack.enter_async_context(self._content.store.local_file(digest))
        except BlobCorrupt:
            if await self._content.entries.entry(entry.id) is None:
                raise NoSuchEntry(entry.name) from None  # it was removed just now
            raise


async def _reader(stack: AsyncExitStack, path: Path, size: int, media_type: str) -> FileReader:
    try:
        file = await stack.enter_async_context(READING.opened(path))
    except OSError as error:
        raise StorageError(f"a stored file cannot be opened: {error}") from error
    return FileReader(file, size, media_type)
