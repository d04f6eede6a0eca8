"""Errors of moving bytes: this attempt failed, another may work."""

from filebot.errors.base import TransferError


class PeerProtocolError(TransferError):
    """The other side broke the protocol or its own promise."""


class SizeMismatch(PeerProtocolError):
    """Fewer or more bytes came than were announced."""

    def __init__(self, *, announced_bytes: int, received_bytes: int) -> None:
        super().__init__(f"announced {announced_bytes}, received {received_bytes} bytes")
        self.announced_bytes = announced_bytes
        self.received_bytes = received_bytes


class DigestMismatch(PeerProtocolError):
    """The bytes do not have the announced hash.

    ``resumed`` tells that they come from two attempts. Then the error also stands for a promised hash that
    did not come, with an empty ``algorithm``: nothing proves that the bytes are of one file.
    """

    def __init__(self, *, algorithm: str = "", resumed: bool = False) -> None:
        super().__init__(f"{algorithm or 'no hash came'}{', after a resumption' if resumed else ''}")
        self.algorithm = algorithm
        self.resumed = resumed


class PeerGone(TransferError):
    """The connection could not be made, or broke and could not be resumed."""


class StreamHostRefused(PeerGone):
    """A stream host was reached, but does not know the session."""


class Unresumable(PeerGone):
    """The connection broke, and nothing proves that the rest would be of the same file.

    A new attempt from the beginning may succeed.
    """


class TransferTimeout(TransferError):
    """Nothing moved for the idle limit."""

    def __init__(self, *, idle_s: float) -> None:
        super().__init__(f"idle for {idle_s} s")
        self.idle_s = idle_s


class Refused(TransferError):
    """The other side refused; ``retry_after_s`` if it says when to ask again."""

    def __init__(self, *, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.retry_after_s = retry_after_s


class ForbiddenTarget(TransferError):
    """The address policy does not let the bot connect there.

    ``reason`` is one of ``scheme`` (not http or https), ``insecure`` (plain http), ``private`` (a
    loopback, private or reserved address), ``redirects`` (too many), ``redirect_loop``, ``downgrade`` (a
    redirect from https to plain http) or ``malformed``.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
