"""Meaning of aiohttp's exceptions: each cause is an error of ours, with the host."""

import errno
import logging
import socket
import ssl
from typing import Final

import aiohttp

from filebot.errors import (
    CertificateInvalid,
    CertificateMismatch,
    ConnectionRefused,
    ConnectionReset,
    ForbiddenTarget,
    HostUnreachable,
    NoSuchHost,
    PeerProtocolError,
    ServerTimeout,
    TlsFailed,
    TransferError,
)

_log = logging.getLogger(__name__)

_UNREACHABLE: Final = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EAFNOSUPPORT}
)

# OpenSSL's X509_V_ERR_*, which Python gives as ``verify_code``.
_REASONS: Final = {
    9: "early",
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    2: "unknown",
    20: "unknown",
    21: "unknown",
}
_OF_ANOTHER_NAME: Final = frozenset({62, 64})


def translated(error: Exception, *, host: str, idle_s: float) -> TransferError:
    """Return the TransferError for what aiohttp raised; TLS troubles are logged for the operator."""
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        failure = _tls_failure(error, host)
        _log.warning("TLS with %s", str(failure).replace(": ", " failed: ", 1))
        return failure
    if isinstance(error, aiohttp.InvalidURL):
        return ForbiddenTarget(reason="malformed")
    if isinstance(error, aiohttp.ClientResponseError):
        return PeerProtocolError(f"no valid HTTP from {host}: {error.message}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unreached(error.os_error, host, idle_s) or HostUnreachable(host)
    return _unreached(error, host, idle_s) or ConnectionReset(host)


def _unreached(cause: Exception, host: str, idle_s: float) -> TransferError | None:
    """Return the error for a cause that tells by itself what it is."""
    if isinstance(cause, socket.gaierror):
        return NoSuchHost(host, temporary=cause.errno == socket.EAI_AGAIN)
    number = getattr(cause, "errno", None)
    if isinstance(cause, TimeoutError) or number == errno.ETIMEDOUT:
        return ServerTimeout(host, idle_s=idle_s)
    if number == errno.ECONNREFUSED:
        return ConnectionRefused(host)
    return HostUnreachable(host) if number in _UNREACHABLE else None


def _tls_failure(error: Exception, host: str) -> TransferError:
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    inner = inner or error.__cause__ or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        if inner.verify_code in _OF_ANOTHER_NAME:
            return CertificateMismatch(host)
        reason = _REASONS.get(inner.verify_code, "")
        return CertificateInvalid(host, reason=reason, detail=inner.verify_message)
    if isinstance(inner, ssl.CertificateError):
        return CertificateMismatch(host)
    return TlsFailed(host, str(getattr(inner, "reason", None) or type(inner).__name__))
