"""Payloads as JSON: of today, and of an earlier run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from filebot.events.facts import (
    CaptionChanged,
    Event,
    FileAutoArchived,
    FileDelivered,
    FileQueued,
    FileRemoved,
    FileRenamed,
    FileShared,
    FileStored,
    HistoryImportProgressed,
    InvitationAccepted,
    LinkReceived,
    OwnerChanged,
    RemovalReason,
    RoomFilesAdded,
)
from filebot.jobs.payloads import OnBehalfOf, PayloadCodec
from filebot.model import (
    Address,
    AddressKind,
    BlobRef,
    Entry,
    HistoryImport,
    MessageRef,
    Method,
    Sender,
)

NOW = datetime(2026, 11, 30, 12, 0, 0, 5, tzinfo=UTC)
ADDRESS = Address("room@example.org/Zoë", AddressKind.ROOM_PRIVATE, "room@example.org/1")
SENDER = Sender(
    ADDRESS, None, "room@example.org", "Zoë", "room@example.org/1", message_ref=MessageRef("a", "b")
)
ENTRY = Entry(
    "年.pdf",
    "alice@example.org",
    None,
    "",
    BlobRef("0" * 64, 3),
    "application/pdf",
    NOW,
    width=3,
    id=7,
    modified_at=NOW,
)
IMPORT = HistoryImport("room@example.org", "alice@example.org", ADDRESS, None, NOW, NOW)

EVENTS: tuple[Event, ...] = (
    FileStored(SENDER, "de", ENTRY, already_known=False, name="a"),
    FileAutoArchived(SENDER, None, ENTRY),
    FileShared(SENDER, None, ENTRY),
    FileRenamed(SENDER, None, ENTRY, "old"),
    CaptionChanged(SENDER, None, ENTRY, "old"),
    OwnerChanged(SENDER, None, ENTRY, "bob@example.org", None),
    *(FileRemoved(SENDER, None, ENTRY, reason) for reason in RemovalReason),
    RoomFilesAdded(SENDER, None, (ENTRY, ENTRY), 3),
    HistoryImportProgressed(SENDER, None, IMPORT, NOW),
    LinkReceived(SENDER, None, "https://example.org/"),
    FileQueued(SENDER, None, "a", 1, 2, "person"),
    FileDelivered(SENDER, None, ENTRY, ADDRESS, Method.IBB, asked=True),
    InvitationAccepted(SENDER, None, "room@example.org"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    codec = PayloadCodec[Event](type(event))
    read = codec.read(codec.write(event, None)).value
    assert (read, type(read)) == (event, type(event))
    assert read.sender.message_ref == SENDER.message_ref


def test_it_says_on_whose_behalf() -> None:
    codec = PayloadCodec[dict[str, Any]](dict[str, Any])
    payload = codec.read(codec.write({"a": [1, None, "ä"]}, OnBehalfOf(SENDER, "zh_CN")))
    assert payload.by == OnBehalfOf(SENDER, "zh_CN")
    assert payload.value == {"a": [1, None, "ä"]}


STORED_BY_0_3 = """
{"version": 1, "by": null, "value": {
  "sender": {
    "address": {"jid": "alice@example.org/phone", "kind": "chat", "occupant": null, "own": ""},
    "jid": "alice@example.org", "room": null, "nick": "", "occupant": null, "claimed": null,
    "message_ref": null
  },
  "language": null,
  "entry": {
    "name": "a.txt", "owner": "alice@example.org", "room": null, "caption": "",
    "blob": {"digest": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "size": 1},
    "media_type": "text/plain", "created_at": "2026-11-30T12:00:00.000005Z", "width": null,
    "height": null, "auto_archived": false, "source_message": null, "id": 1,
    "modified_at": "2026-11-30T12:00:00.000005Z"
  },
  "already_known": false,
  "name": "a.txt"
}}
"""
"""A job in the queue of somebody who upgrades: if it cannot be read any more, raise the version."""


def test_an_event_that_an_earlier_filebot_kept_is_read() -> None:
    event = PayloadCodec[FileStored](FileStored).read(STORED_BY_0_3).value
    assert (event.sender.identity, event.entry.id, event.entry.created_at) == ("alice@example.org", 1, NOW)


def test_a_payload_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="payload of version 9"):
        PayloadCodec[FileStored](FileStored).read(STORED_BY_0_3.replace('"version": 1', '"version": 9'))


@dataclass(frozen=True)
class Page:
    number: int


@pytest.mark.parametrize("value", [{"number": 1}, 1, None, "1"])
def test_a_value_of_another_type_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match="Page"):
        PayloadCodec[Page](Page).write(value, None)
