"""Uploads in parts that a crash left unfinished: the service keeps, and bills, their parts for ever.

The client has no request for these, so two are signed here, in the query of a URL (AWS Signature Version
4). An upload of less than a day may still be going on, in a copy beside the bot say. Its age is by the
service's clock, from the same answer.
"""

import hashlib
import hmac
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Final
from urllib.parse import quote, urlsplit

from filebot.errors import StorageUnavailable
from filebot.storage.s3.address import Address

OLD: Final = timedelta(days=1)
LIMIT_S: Final = 15.0
VALID_S: Final = 60
MOST_BYTES: Final = 4 * 1024 * 1024
"""Largest answer that is read; a list has a thousand uploads at most."""

_UPLOAD: Final = re.compile(r"<Upload>(.*?)</Upload>", re.DOTALL)
_FIELD: Final = re.compile(r"<(Key|UploadId|Initiated)>([^<]*)</")


def abort_old(address: Address, old: timedelta = OLD) -> int:
    """Have the service remove the parts of old uploads of this prefix; return of how many. Blocks.

    One answer's worth: the next start does the rest. Raises StorageUnavailable.
    """
    prefix = f"{address.prefix}/" if address.prefix else ""
    body, now = _asked(address, "GET", "", {"uploads": "", "prefix": f"{prefix}blobs/"})
    aborted = 0
    for key, upload, begun in _uploads(body):
        if key.startswith(f"{prefix}blobs/") and now - begun >= old:
            _asked(address, "DELETE", key, {"uploadId": upload})
            aborted += 1
    return aborted


def _uploads(body: str) -> Iterator[tuple[str, str, datetime]]:
    for upload in _UPLOAD.finditer(body):
        fields = {name: unescape(value) for name, value in _FIELD.findall(upload[1])}
        try:
            yield fields["Key"], fields["UploadId"], datetime.fromisoformat(fields["Initiated"])
        except (KeyError, ValueError):
            continue


def _asked(address: Address, method: str, key: str, query: Mapping[str, str]) -> tuple[str, datetime]:
    """Return the answer and the service's time."""
    url = signed_url(address, method, key, query, datetime.now(UTC))
    request = urllib.request.Request(url, method=method)  # noqa: S310 - of an endpoint that was checked
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
            body = answer.read(MOST_BYTES).decode(errors="replace")
            return body, parsedate_to_datetime(answer.headers["Date"])
    except urllib.error.HTTPError as error:
        error.close()
        raise StorageUnavailable(f"{address.shown}: {error.code} to {method}") from None
    except (OSError, ValueError, TypeError) as error:  # the URL, with its signature, is in no text
        raise StorageUnavailable(f"{address.shown}: {type(error).__name__}") from None


def signed_url(address: Address, method: str, key: str, query: Mapping[str, str], now: datetime) -> str:
    """Return a URL that allows one kind of request for a minute."""
    base = urlsplit(address.endpoint or f"https://s3.{address.region}.amazonaws.com")
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    scope = f"{day}/{address.region}/s3/aws4_request"
    keys = address.keys
    all_of_it = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{keys.access}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(VALID_S),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": keys.token} if keys.token else {}),
    }
    path = f"{base.path.rstrip('/')}/{address.bucket}" + (f"/{quote(key)}" if key else "")
    text = "&".join(
        f"{quote(name, safe='')}={quote(all_of_it[name], safe='')}" for name in sorted(all_of_it)
    )
    canonical = f"{method}\n{path}\n{text}\nhost:{base.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    signing = f"AWS4{keys.secret}".encode()
    for part in (day, address.region, "s3", "aws4_request"):
        signing = _hmac(signing, part)
    signature = _hmac(signing, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}").hex()
    return f"{base.scheme}://{base.netloc}{path}?{text}&X-Amz-Signature={signature}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
