"""Results of a command that was filled in: what was replied, and files as a table."""

from collections.abc import Sequence
from typing import Final

from filebot.model import Column, Entry, FormStep, Severity, Table
from filebot.plugin.conversation import Conversation
from filebot.replies.captured import CapturedReplies

_COLUMNS: Final = ("name", "size", "date", "number")
_ROOM_COLUMNS: Final = ("name", "size", "date", "owner", "number")


def result_of(replies: CapturedReplies, conversation: Conversation, title: str) -> FormStep:
    """Return the last step of a command: what was said, and the files that were listed."""
    severity = Severity.INFO
    if replies.errors:
        severity = Severity.ERROR if replies.errors == len(replies.texts) else Severity.WARNING
    text = "\n\n".join(replies.texts) or conversation.render("forms/done")
    table = _table(replies.entries, conversation, title) if replies.entries else None
    return FormStep(text, severity, table=table)


def _table(entries: Sequence[Entry], conversation: Conversation, title: str) -> Table:
    """Return files in rows. Of a room's files it says which ones are the person's own: others may not be
    told whose address is behind whom.
    """
    sender, render = conversation.sender, conversation.render
    names = _COLUMNS if sender.room is None else _ROOM_COLUMNS

    def row(entry: Entry) -> tuple[str, ...]:
        is_own = entry.owner in sender.identities
        return tuple(render("forms/cell", name=name, entry=entry, is_own=is_own) for name in names)

    columns = tuple(Column(name, render("forms/column", name=name)) for name in names)
    return Table(title, columns, tuple(row(each) for each in entries))
