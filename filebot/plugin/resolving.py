"""Resolution of a command's arguments: files and rooms are looked up with the rights of the asker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from filebot.errors import NoFileInReply, NoSuchEntry, TooManyFiles
from filebot.files.lookup import MOST_CHANGED, WILDCARD_LIMIT
from filebot.files.selection import Selection
from filebot.model import Entry
from filebot.plugin.arguments import Kind, Parameter
from filebot.plugin.commands import Command
from filebot.plugin.confirmation import PinnedFiles
from filebot.plugin.files import Files
from filebot.plugin.rooms import RoomAccess


@dataclass(frozen=True, slots=True)
class ArgumentResolver:
    """Looks up what one person named."""

    files: Files
    rooms: RoomAccess
    replied_to: tuple[int, ...] | None
    """Ids of the files in the message that the person replies to; None if it is no reply."""

    async def resolve(self, command: Command, values: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments of the handler, given the values that were read from a text or a form.

        A file is meant by its name or id as people type it, or by its id as a number; several files also by
        a tuple of these.

        Raises BadCommand for one that is missing, NoFileInReply, and whatever finding a file or a room
        raises.
        """
        found = dict[str, object]()
        for parameter in command.parameters:
            if parameter.name in values:
                found[parameter.name] = await self._looked_up(parameter, values[parameter.name])
            elif parameter.kind.is_file and self.replied_to is not None:
                found.update(await self._from_reply(parameter, self.replied_to))
            elif parameter.has_default:
                continue
            elif parameter.may_be_none:
                found[parameter.name] = None
            elif parameter.kind in {Kind.TEXT, Kind.WORDS}:
                found[parameter.name] = ""
            else:
                raise command.missing()
        return found

    async def resolve_again(self, command: Command, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments that were ``pinned``, with files and rooms as they are now.

        A file that is gone is ``missing`` where there are several; raises NoSuchEntry if there are none
        any more, and whatever finding a room raises.
        """
        found = dict(arguments)
        for parameter in command.parameters:
            match parameter.kind, found.get(parameter.name):
                case Kind.FILE, PinnedFiles(ids):
                    found[parameter.name] = await self.files.with_id(ids[0])
                case Kind.FILES, PinnedFiles(ids, missing):
                    again = await self.files.with_ids(ids, to_send=not parameter.is_exact)
                    found[parameter.name] = replace(again, missing=(*missing, *again.missing))
                case Kind.ROOM, str(address):
                    found[parameter.name] = await self.rooms.visible(address)
        return found

    async def _looked_up(self, parameter: Parameter, value: object) -> object:
        match parameter.kind, value:
            case Kind.FILE, int(entry_id):
                return await self.files.with_id(entry_id)
            case Kind.FILES, tuple() as chosen:
                return await self._chosen(parameter, chosen)
            case Kind.FILE, str(name):
                return await (self.files.exactly(name) if parameter.is_exact else self.files.one(name))
            case Kind.FILES, str(names):
                return await (
                    self.files.some_exactly(names) if parameter.is_exact else self.files.some(names)
                )
            case Kind.ROOM, str(address):
                return await self.rooms.visible(address)
            case _:
                return value

    async def _chosen(self, parameter: Parameter, chosen: Sequence[int | str]) -> Selection:
        """Return files that were chosen one by one, by their ids or by names and patterns.

        Raises TooManyFiles, and NoSuchEntry if there is none of them.
        """
        found, missing, by_pattern = dict[int, Entry](), list[str](), False
        limit = MOST_CHANGED if parameter.is_exact else WILDCARD_LIMIT
        if len(chosen) > limit:  # before each of them costs a look into the catalog
            raise TooManyFiles(count=len(chosen), limit=limit)
        for each in chosen:
            try:
                if isinstance(each, int):
                    meant: object = await self.files.with_ids([each], to_send=not parameter.is_exact)
                else:
                    meant = await self._looked_up(parameter, each)
            except NoSuchEntry as error:
                if len(chosen) == 1:
                    raise
                missing.append(error.wanted)
                continue
            match meant:
                case Entry():
                    found[meant.id] = meant
                case Selection():
                    found |= {entry.id: entry for entry in meant.entries}
                    missing += meant.missing
                    by_pattern = by_pattern or meant.by_pattern
        if not found:
            raise NoSuchEntry(" ".join(missing))
        if len(found) > limit:
            raise TooManyFiles(count=len(found), limit=limit)
        return Selection(tuple(found.values()), tuple(missing), by_pattern)

    async def _from_reply(self, parameter: Parameter, ids: tuple[int, ...]) -> dict[str, object]:
        """Return the argument as the message replied to has it; none if it has no file and need not."""
        if parameter.kind is Kind.FILES and ids:
            return {parameter.name: await self.files.with_ids(ids)}
        if len(ids) == 1:
            return {parameter.name: await self.files.with_id(ids[0])}
        if parameter.has_default:
            return {}
        if parameter.may_be_none:
            return {parameter.name: None}
        raise NoFileInReply(several=bool(ids))


def pinned(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return arguments as they are kept while a command waits: files by their ids."""
    return {name: _pinned(value) for name, value in arguments.items()}


def _pinned(value: object) -> object:
    match value:
        case Entry(id=number):
            return PinnedFiles((number,), names=(value.name,))
        case Selection(entries, missing):
            ids, names = (entry.id for entry in entries), (entry.name for entry in entries)
            return PinnedFiles(tuple(ids), tuple(missing), tuple(names))
        case _:
            return value
