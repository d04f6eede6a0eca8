"""Sizes as people write them, read to the last character or not at all: a misread limit loses files."""

import re
from fractions import Fraction
from typing import Final

LARGEST_BYTES: Final = 2**63 - 1
"""The largest integer of the catalog."""

_LONGEST: Final = 32
"""Characters of the longest size that is read."""

_REMEDY: Final = 'write it like "500 MB", "1.5 GB", "1 GiB" or 1000000'

_WRITTEN: Final = re.compile(r"([0-9]*\.?[0-9]+) *([a-z]*)")
_PREFIXES: Final = "kmgtpe"


def _units() -> dict[str, int]:
    """``k`` and ``kb`` are decimal, ``kib`` is binary (IEC 80000-13)."""
    units = {"": 1, "b": 1, "byte": 1, "bytes": 1}
    for power, prefix in enumerate(_PREFIXES, 1):
        units |= {prefix: 1000**power, f"{prefix}b": 1000**power, f"{prefix}ib": 1024**power}
    return units


_UNITS: Final = _units()


def size_bytes(text: str) -> int:
    """Read a size such as ``500 MB``, ``1.5 GiB`` or ``1000000``; a fraction of a byte is left out.

    Raises ValueError if any of it makes no sense, or if it is nothing or too much.
    """
    written = _WRITTEN.fullmatch(text[: _LONGEST + 1].strip().lower())
    if len(text) > _LONGEST or written is None or written[2] not in _UNITS:
        raise ValueError(f"must be a size; {_REMEDY}")
    size = int(Fraction(written[1]) * _UNITS[written[2]])
    if size < 1:
        raise ValueError(f"must be a size above zero; {_REMEDY}")
    if size > LARGEST_BYTES:
        raise ValueError(f"must be at most {LARGEST_BYTES} bytes")
    return size
