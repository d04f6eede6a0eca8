"""Recently posted files of rooms, for ``keep``. Held in memory only, and bounded in bytes."""

from collections.abc import Sequence
from typing import Final

from filebot.concurrency.bounded_store import ByteBounded, Share
from filebot.errors import PostTooLarge
from filebot.model import BareJid, Identity, Offer

MOST_OF_ALL_BYTES: Final = 16 * 1024 * 1024
MOST_OF_ROOM_BYTES: Final = 512 * 1024
MOST_OF_PERSON_BYTES: Final = 128 * 1024
"""Bytes of one person's posts in one room."""
MOST_OF_ROOM: Final = 200
"""Keys of one room, so that no room displaces another's: a post has two, its id and its poster's last."""
MOST_OF_ALL: Final = 50_000

_Key = tuple[BareJid, Identity, str]


class RecentPosts:
    """Posts by room, poster and the room's message id; each poster's last one also by an empty id."""

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
            self._posts.put(key, (), shares)  # tells a post that was too large from none
