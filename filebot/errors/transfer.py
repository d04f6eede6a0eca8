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

    ``resumed`` tells that they were put together from two attempts. Then a hash that was promised and did
    not come is one, too: nothing proves the bytes to be one file. ``algorithm`` is empty in that case.
    """

    def __init__(self, *, algorithm: str = "", resumed: bool = False) -> None:
        super().__init__(f"{algorithm or 'no hash came'}{', after a resumption' if resumed else ''}")
        self.algorithm = algorithm
        self.resumed = resumed


class PeerGone(TransferError):
    """The connection could not be made, or broke and could not be resumed."""


class NotLetIn(PeerGone):
    """A stream host was reached, and knows nothing of the session."""


class Unresumable(PeerGone):
    """The connection broke, and nothing proves that what would come next is of the same file.

    Beginning anew may help.
    """


class TransferTimeout(TransferError):
    """Nothing moved for the idle limit."""

    def __init__(self, *, idle_s: float) -> None:
        super().__init__(f"idle for {idle_s} s")
        self.idle_s = idle_s


class Refused(TransferError):
    """The other side answered with a clear no."""

    def __init__(self, *, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class ForbiddenTarget(TransferError):
    """The address policy does not let the bot connect there.

    ``reason`` is one of ``scheme`` (not http or https), ``insecure`` (plain http), ``private`` (a
    loopback, private or reserved address), ``redirects`` (too many) or ``malformed``.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
