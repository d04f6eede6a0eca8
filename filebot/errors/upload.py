"""Errors of the server's upload service (XEP-0363)."""

from datetime import datetime

from filebot.errors.base import TransferError
from filebot.errors.web import ServerNotReached


class NoUploadService(TransferError):
    """The bot's server offers no HTTP file upload (XEP-0363), or it does not answer."""


class TooLargeForService(TransferError):
    """The upload service takes no files of this size (XEP-0363 section 6, file-too-large)."""

    def __init__(self, *, size_bytes: int, limit_bytes: int | None) -> None:
        super().__init__(f"{size_bytes} bytes, service limit {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class ServiceQuotaReached(TransferError):
    """The upload service takes nothing more for now (XEP-0363 section 6, resource-constraint)."""

    def __init__(self, *, retry_at: datetime | None) -> None:
        super().__init__(f"retry at {retry_at}")
        self.retry_at = retry_at


class ServiceRefused(TransferError):
    """The upload service gives no slot: not permitted, or it does not take such a file."""


class UploadServiceNotReached(TransferError):
    """The upload service's web server was not reached; ``cause`` tells why."""

    def __init__(self, cause: ServerNotReached) -> None:
        super().__init__(str(cause))
        self.cause = cause


class LinkDead(TransferError):
    """The upload service took a file, and its link leads nowhere."""

    def __init__(self, host: str) -> None:
        super().__init__(f"no file at a new link to {host}")
        self.host = host


class UploadServiceForbidden(TransferError):
    """The address policy does not let the bot connect to the upload service; see ForbiddenTarget."""

    def __init__(self, host: str, *, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason
