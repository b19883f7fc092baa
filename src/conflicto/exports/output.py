"""Output file with cancellation, and throttling of row production."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from conflicto.platform.sizes import GIB

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    T = TypeVar("T")

MAX_FILE_BYTES = 4 * GIB

ROWS_PER_CHECK = 50
MAX_BURST_S = 0.005
"""CPU time after which the writing thread rests as long as it worked; checked every
`ROWS_PER_CHECK`.
"""


class ExportStopped(Exception):
    """The export was cancelled."""


class ExportFile:
    """A file that rejects writes after `stop` is set.

    The check is here because assembling a workbook after its last row also takes long. Only the
    first rejected write raises. Later writes, and writes to a closed file, are discarded: an
    abandoned workbook writes its end when the interpreter collects it.
    """

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop
        self._has_raised = False
        self._position = 0

    def write(self, part: bytes) -> int:
        """Write to the file.

        Raises:
            ExportStopped: `stop` is set.
            OSError: the file exceeds `MAX_FILE_BYTES`, or the disk is full.
        """
        self._position += len(part)
        if self._file.closed or self._has_raised:
            return len(part)
        if self._stop.is_set() or self._position > MAX_FILE_BYTES:
            self._has_raised = True
            raise ExportStopped if self._stop.is_set() else OSError(errno.EFBIG, "The export is too large")
        return self._file.write(part)

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Write line by line; raises as `write` does."""
        for line in lines:
            self.write(line)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position and return it, also in a closed file."""
        self._position = offset if self._file.closed else self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """Return the position, also in a closed file."""
        return self._position if self._file.closed else self._file.tell()

    def flush(self) -> None:
        """Flush the file unless it is closed."""
        if not self._file.closed:
            self._file.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what files have besides
        return getattr(self._file, name)


def throttled(items: Iterator[T], stop: threading.Event, on_check: Callable[[], None]) -> Iterator[T]:
    """Yield items and rest as long as producing them took.

    The thread shares the interpreter with the event loop. `on_check` is called every
    `ROWS_PER_CHECK` items.

    Raises:
        ExportStopped: `stop` is set.
    """
    began_s = time.thread_time()
    for number, item in enumerate(items, 1):
        yield item
        if number % ROWS_PER_CHECK:
            continue
        on_check()
        if (worked_s := time.thread_time() - began_s) >= MAX_BURST_S:
            if stop.wait(worked_s):
                raise ExportStopped
            began_s = time.thread_time()
