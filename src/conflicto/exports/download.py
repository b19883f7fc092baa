"""Downloads of files, whole or a byte range (RFC 9110 §14)."""

from __future__ import annotations

import asyncio
import re
import weakref
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request, Write

CHUNK_BYTES = 65_536

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*", re.ASCII | re.IGNORECASE)


class Download:
    """The bytes of a file from `first` on; it closes after sending or when discarded."""

    def __init__(self, file: BinaryIO, first: int = 0, size: int | None = None) -> None:
        self._file = file
        self._first = first
        self._left = size
        weakref.finalize(self, file.close)

    async def send(self, write: Write) -> None:
        """Write the file in chunks, as fast as the client reads."""
        with self._file:
            await asyncio.to_thread(self._file.seek, self._first)
            while part := await asyncio.to_thread(
                self._file.read, CHUNK_BYTES if self._left is None else min(CHUNK_BYTES, self._left)
            ):
                if self._left is not None:
                    self._left -= len(part)
                await write(part)


def requested_range(request: Request, tag: str, size: int) -> range | None:
    """Return the requested byte range of a file with this ETag; None: the whole file.

    Requests of several ranges, or of ranges outside the file, get the whole file (allowed by RFC
    9110).
    """
    found = _ONE_RANGE.fullmatch(request.header(b"range") or "")
    if found is None or request.header(b"if-range") not in {None, tag}:
        return None
    first, last = found.groups()
    begin = int(first) if first else max(0, size - int(last or 0))
    end = min(int(last) + 1, size) if first and last else size
    return range(begin, end) or None
