"""Errors of web servers, each with the host: not reached, for whatever cause, or no file sent."""

from filebot.errors.base import TransferError
from filebot.errors.transfer import PeerGone, TransferTimeout


class ServerNotReached(TransferError):
    """A web server was not reached, or the connection to it broke."""

    template = "errors/server_not_reached"

    def __init__(self, host: str, detail: str) -> None:
        Exception.__init__(self, f"{host}: {detail}")  # the other base may want other arguments
        self.host = host


class NoSuchHost(ServerNotReached, PeerGone):
    """The name of the host has no address; ``temporary`` if the name servers did not tell."""

    def __init__(self, host: str, *, temporary: bool = False) -> None:
        super().__init__(host, "name servers do not answer" if temporary else "no such host")
        self.temporary = temporary


class ConnectionRefused(ServerNotReached, PeerGone):
    """Nobody listens at the port."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "nobody listens there")


class HostUnreachable(ServerNotReached, PeerGone):
    """No network path leads to the host."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "no path leads there")


class ConnectionReset(ServerNotReached, PeerGone):
    """The server broke off the connection."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "the connection broke")


class ServerTimeout(ServerNotReached, TransferTimeout):
    """Nothing came from the server for the idle limit."""

    def __init__(self, host: str, *, idle_s: float) -> None:
        ServerNotReached.__init__(self, host, f"idle for {idle_s:g} s")
        self.idle_s = idle_s


class CertificateInvalid(ServerNotReached, PeerGone):
    """The certificate is not accepted.

    ``reason`` is one of ``expired``, ``early`` (not valid yet), ``self-signed``, ``unknown`` (nobody who is
    trusted has issued it) or empty.
    """

    def __init__(self, host: str, *, reason: str, detail: str) -> None:
        super().__init__(host, f"certificate not accepted: {detail}")
        self.reason = reason


class CertificateMismatch(ServerNotReached, PeerGone):
    """The certificate is for other names."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "its certificate is for another name")


class TlsFailed(ServerNotReached, PeerGone):
    """No encrypted connection came about, for another reason than the certificate."""

    def __init__(self, host: str, detail: str) -> None:
        super().__init__(host, f"TLS failed: {detail}")


class WebPageInstead(TransferError):
    """A web page came in place of a file, such as one to log in."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host
