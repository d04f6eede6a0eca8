"""Width and height of a picture, read from its header by imagesize."""

import math
import os
from typing import BinaryIO, Final

import imagesize  # type: ignore[import-untyped] # it ships no types

MAX_PIXELS: Final = 200_000
"""Largest width or height that is believed; more is a mistake or a lie."""


class _LimitedReader:
    """A file with a limit for a parser that would follow any length and any number of boxes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = 1024 * 1024

    def read(self, size: int) -> bytes:
        self._left -= max(size, 1024)
        if size < 0 or self._left < 0:
            raise ValueError("too much to read for a picture's size")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)


def picture_size(file: BinaryIO) -> tuple[int | None, int | None]:
    """Width and height as shown, in pixels; both or none."""
    file.seek(0)
    # The rotation of a HEIF picture follows tables of which imagesize keeps whatever number of entries
    # they claim, in a few bytes: gigabytes, for a file of some kilobytes.
    is_heif = file.read(8)[4:] == b"ftyp"
    width, height = imagesize.get(_LimitedReader(file), exif_rotation=not is_heif)
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):  # -1: unknown; NaN: a hostile SVG
        return None, None
    return math.ceil(width), math.ceil(height)
