"""aiohttp's exceptions, translated once."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from filebot.errors import (
    ForbiddenTarget,
    NoDescriptors,
    PeerGone,
    PeerProtocolError,
    TransferError,
    TransferTimeout,
)
from filebot.system.descriptors import is_shortage

_log = logging.getLogger(__name__)


def translated(error: Exception, *, host: str, idle_s: float) -> TransferError:
    """The TransferError for what aiohttp raised. Logs TLS troubles: the operator has to see those."""
    if isinstance(error, TimeoutError):
        return TransferTimeout(idle_s=idle_s)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        _log.warning("TLS with %s failed: %s", host, _tls_reason(error))
        return PeerGone(f"TLS with {host} failed")
    if isinstance(error, aiohttp.InvalidURL):
        return ForbiddenTarget(reason="malformed")
    if isinstance(error, aiohttp.ClientResponseError):
        return PeerProtocolError(f"no valid HTTP from {host}: {error.message}")
    return PeerGone(f"{host}: {type(error).__name__}")


@contextmanager
def peer_errors(host: str, idle_s: float) -> Iterator[None]:
    """Turn what aiohttp raises into TransferErrors, or NoDescriptors where the trouble is the bot's own."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        if is_shortage(error):
            raise NoDescriptors(str(error)) from error
        raise translated(error, host=host, idle_s=idle_s) from error


def _tls_reason(error: Exception) -> str:
    inner = error.__cause__ or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {inner.verify_message}"
    return getattr(inner, "reason", None) or type(inner).__name__
