"""Recognition of duplicate messages: servers, archives and rooms may deliver one twice (XEP-0359)."""

from collections.abc import Iterable


class SeenMessages:
    """Remembers ids of messages, at most ``most`` of them and none longer than ``max_age_s``.

    ``now`` is in seconds of any clock that never goes back.
    """

    def __init__(self, *, most: int = 10_000, max_age_s: float = 3600.0) -> None:
        self._most = most
        self._max_age_s = max_age_s
        # An id may be as long as a stanza: only its hash is remembered.
        self._since: dict[int, float] = {}

    def is_new(self, sender: str, ids: Iterable[str], now: float) -> bool:
        """Whether no message of this sender had one of these ids before. A message without ids is new.

        An origin-id is the client's word and only tells that client's messages apart, so ``sender`` has to
        be the full JID or the occupant; for stanza-ids it is the JID of the server or room that gave them.
        """
        self._forget(now)
        keys = [hash((sender, each)) for each in ids if each]
        known = any(key in self._since for key in keys)
        for key in keys:
            self._since.setdefault(key, now)
        while len(self._since) > self._most:
            del self._since[next(iter(self._since))]
        return not known

    def _forget(self, now: float) -> None:
        """Forget entries that are too old; they are in the order of their age."""
        while self._since:
            oldest, since = next(iter(self._since.items()))
            if since + self._max_age_s > now:
                return
            del self._since[oldest]
