"""Payloads of jobs: values as JSON, and back. Each says on whose behalf the job is done."""

import json
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from filebot.model import Sender

T = TypeVar("T")

VERSION: Final = 1
"""To be raised when payloads of earlier runs cannot be read any more."""


@dataclass(frozen=True, slots=True)
class OnBehalfOf:
    """Person for whom a job is done."""

    sender: Sender
    language: str | None


@dataclass(frozen=True, slots=True)
class Payload(Generic[T]):
    """Payload that was read."""

    by: OnBehalfOf | None
    """None if nobody asked for it."""
    value: T


_BY: Final = TypeAdapter(OnBehalfOf)


class PayloadCodec(Generic[T]):
    """Writes values of one type as JSON, and reads them."""

    def __init__(self, kind: Any) -> None:
        """``kind`` is the type ``T``. Raises TypeError if it has no form in JSON."""
        try:
            self._values: TypeAdapter[T] = TypeAdapter(kind)
        except PydanticUserError as error:
            raise TypeError(f"{kind!r} has no form in JSON: {error.message.splitlines()[0]}") from error

    def write(self, value: T, by: OnBehalfOf | None) -> str:
        """Return the value as JSON.

        Raises TypeError if it is not of the type, or holds something that JSON has no form for.
        """
        try:
            checked = self._values.validate_python(value, strict=True)
            plain = self._values.dump_python(checked, mode="json", warnings="error")
            who = None if by is None else _BY.dump_python(by, mode="json")
            payload = {"version": VERSION, "by": who, "value": plain}
            text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
            text.encode()  # lone surrogates have no UTF-8
        except ValidationError as error:
            raise TypeError(_without_values(error)) from None
        except (PydanticSerializationError, ValueError) as error:
            raise TypeError(str(error)) from error
        return text

    def read(self, text: str) -> Payload[T]:
        """Return what :meth:`write` wrote. Raises ValueError if this is not of today's form."""
        found = json.loads(text)
        if found["version"] != VERSION:
            raise ValueError(f"payload of version {found['version']}")
        by = None if found["by"] is None else _BY.validate_python(found["by"])
        try:
            return Payload(by, self._values.validate_python(found["value"]))
        except ValidationError as error:
            raise ValueError(_without_values(error)) from None


def _without_values(error: ValidationError) -> str:
    """Return what is wrong and where, without the values: they may be secrets."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(".".join(map(str, each["loc"])) + f" {each['msg']}" for each in found[:3]).strip()
