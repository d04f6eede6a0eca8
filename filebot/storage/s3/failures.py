"""Errors of the S3 client, told apart: what another try may mend, and what stays until somebody acts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from obstore import exceptions

from filebot.errors import StorageUnavailable
from filebot.filenames import plain_text
from filebot.storage.s3.address import Address

TRIED_AGAIN: Final = frozenset({408, 409, 425, 429})
"""Refusals that may not hold for the next request; those from 500 on are others."""

MOST_SHOWN: Final = 200

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_MESSAGE: Final = re.compile(r"<Message>([^<]{1,500})</Message>")
_NO_OBJECT: Final = frozenset({"", "NoSuchKey"})
_GONE_UPLOAD: Final = "NoSuchUpload"
"""Answer to the second end of an upload, after that to the first was lost."""
_HINTS: Final = {
    "NoSuchBucket": "make the bucket, or correct its name",
    "AuthorizationHeaderMalformed": "correct the region",
    "PermanentRedirect": "correct the region or the endpoint",
    "SignatureDoesNotMatch": "correct the secret key",
    "InvalidAccessKeyId": "correct the access key",
    "XAdminUserNotFound": "correct the access key",
    "AccessDenied": "give the access key rights to read, write, list and delete there",
    "RequestTimeTooSkewed": "set the clock of this machine",
}


class ObjectMissing(Exception):
    """There is no such object."""


class ObjectExists(Exception):
    """There is such an object already."""


class ObjectChanged(Exception):
    """The object is another one than before."""


class RangeEmpty(Exception):
    """The object ends before the range begins."""


class Refused(StorageUnavailable):
    """The service is there and refuses: nobody helps but the operator."""


@contextmanager
def s3_errors(address: Address) -> Iterator[None]:
    """Turn errors of the client into those of this module, and StorageUnavailable."""
    try:
        yield
    except FileNotFoundError as error:
        code = _found(_CODE, error)
        if code in _NO_OBJECT:
            raise ObjectMissing from None
        if code == _GONE_UPLOAD:
            raise StorageUnavailable(_told(error, address, "does not answer as it should")) from None
        raise _refused(error, address) from None
    except exceptions.AlreadyExistsError:
        raise ObjectExists from None
    except exceptions.PreconditionError:
        raise ObjectChanged from None
    # Nothing that is raised has a cause: texts of the client show the headers of requests.
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise _refused(error, address) from None
    except (exceptions.BaseError, OSError) as error:
        status = int(_found(_STATUS, error) or 0)
        if status == 416:
            raise RangeEmpty from None
        if 300 <= status < 500 and status not in TRIED_AGAIN:
            raise _refused(error, address) from None
        raise StorageUnavailable(_told(error, address, "does not answer as it should")) from None


def _refused(error: Exception, address: Address) -> Refused:
    return Refused(_told(error, address, "cannot be used"))


def _told(error: Exception, address: Address, what: str) -> str:
    code, message = _found(_CODE, error), _found(_MESSAGE, error)
    status = _found(_STATUS, error)
    text = ": ".join(part for part in (f"{status} {code}".strip(), message) if part)
    if not text:
        text = str(error).partition("\n")[0].rpartition(" - ")[2]
    hint = f"; {_HINTS[code]}" if code in _HINTS else ""
    return address.keys.masked(f"{address.shown} {what}: {plain_text(text)[:MOST_SHOWN]}{hint}")


def _found(pattern: re.Pattern[str], error: Exception) -> str:
    match = pattern.search(str(error))
    return match[1] if match else ""
