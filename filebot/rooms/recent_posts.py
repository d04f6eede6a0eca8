"""Files that people posted in rooms lately: what ``keep`` takes. Lost at a restart, bounded in bytes."""

from collections.abc import Sequence
from typing import Final

from filebot.concurrency.bounded_store import ByteBounded, Share
from filebot.errors import PostTooLarge
from filebot.model import BareJid, Identity, Offer

MOST_OF_ALL_BYTES: Final = 16 * 1024 * 1024
MOST_OF_ROOM_BYTES: Final = 512 * 1024
MOST_OF_PERSON_BYTES: Final = 128 * 1024
"""In one room."""
MOST_OF_ROOM: Final = 200
"""Each post counts twice: by its id, and as its poster's last. So a lively room forgets none of another."""
MOST_OF_ALL: Final = 50_000

_Key = tuple[BareJid, Identity, str]


class RecentPosts:
    """By room, poster and the id that the room gave the message; those of the last one by no id, too."""

    def __init__(self) -> None:
        self._posts = ByteBounded[_Key, tuple[Offer, ...]]()

    @property
    def total_bytes(self) -> int:
        """Memory that all posts take."""
        return self._posts.total_bytes

    def add(self, room: BareJid, poster: Identity, message_id: str, offers: Sequence[Offer]) -> None:
        """Remember what somebody has just posted; ``message_id`` may be empty."""
        for key in dict.fromkeys((message_id, "")):
            self._put((room, poster, key), tuple(offers))

    def of(self, room: BareJid, poster: Identity, message_id: str = "") -> tuple[Offer, ...]:
        """Return the files in that message of somebody, or in their last one; empty if they are forgotten.

        Raises PostTooLarge if it was too much to be remembered.
        """
        offers = self._posts.get((room, poster, message_id))
        if offers is None:
            return ()
        if not offers:
            raise PostTooLarge(limit_bytes=MOST_OF_PERSON_BYTES)
        return offers

    def _put(self, key: _Key, offers: tuple[Offer, ...]) -> None:
        room, poster, _ = key
        shares = (
            Share((room, poster), MOST_OF_PERSON_BYTES, MOST_OF_ROOM),
            Share(room, MOST_OF_ROOM_BYTES, MOST_OF_ROOM),
            Share(None, MOST_OF_ALL_BYTES, MOST_OF_ALL),
        )
        if not self._posts.put(key, offers, shares):
            self._posts.put(key, (), shares)  # that there was one is worth telling
