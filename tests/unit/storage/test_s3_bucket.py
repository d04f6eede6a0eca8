"""Patience with a service that is away: longer than a minute, and not for ever."""

import asyncio
from collections.abc import Callable

import pytest
from obstore.exceptions import GenericError

from filebot.errors import StorageUnavailable
from filebot.storage.s3.address import Address, Keys
from filebot.storage.s3.bucket import AWAY_S, Bucket
from filebot.storage.s3.failures import Refused
from tests.support.virtual_time import in_virtual_time

SECRET = "hush-hush"


def bucket() -> Bucket:
    return Bucket(Address("files", "", "https://s3.example.org", "us-east-1", Keys("key", SECRET)), 60.0)


def away_for(seconds: float, text: str) -> Callable[[], "asyncio.Future[str]"]:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds

    def request() -> "asyncio.Future[str]":
        answer: asyncio.Future[str] = loop.create_future()
        if loop.time() < until:
            answer.set_exception(GenericError(text))
        else:
            answer.set_result("there again")
        return answer

    return request


@pytest.mark.parametrize(
    "text",
    [
        "Generic S3 error: Error performing PUT https://s3.example.org - HTTP error: error sending request",
        "Server returned non-2xx status code: 503 Slow Down: <Error><Code>SlowDown</Code></Error>",
        "Server returned non-2xx status code: 500 Internal Server Error: ",
        "Server returned non-2xx status code: 429 Too Many Requests: ",
    ],
)
@in_virtual_time
async def test_a_full_minute_is_waited_out(text: str) -> None:
    assert await bucket()._lasting(away_for(75.0, text)) == "there again"


@in_virtual_time
async def test_it_is_not_waited_for_ever() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await bucket()._lasting(away_for(3600.0, "HTTP error: error sending request"))
    assert 60.0 < AWAY_S <= loop.time() - began < 2 * AWAY_S


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            (
                "status code: 400 Bad Request: <Error><Code>AuthorizationHeaderMalformed</Code>"
                f"<Message>not {SECRET}\n</Message></Error>"
            ),
            "s3://files cannot be used: 400 AuthorizationHeaderMalformed: not ***; correct the region",
        ),
        ("status code: 301 Moved Permanently: ", "s3://files cannot be used: 301"),
        (
            "status code: 403 Forbidden: <Error><Code>Odd</Code></Error>",
            "s3://files cannot be used: 403 Odd",
        ),
    ],
)
@in_virtual_time
async def test_a_refusal_is_told_at_once_and_without_secrets(text: str, told: str) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(Refused) as raised:
        await bucket()._lasting(away_for(3600.0, text))
    assert asyncio.get_running_loop().time() == began
    assert str(raised.value) == told
