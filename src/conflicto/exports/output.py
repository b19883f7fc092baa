"""A file for exports that can be stopped, and the pace at which rows are written."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    T = TypeVar("T")

MAX_FILE_BYTES = 4 * 1024**3

ROWS_PER_CHECK = 50
MAX_BURST_S = 0.005
"""After so many rows the thread looks at its own clock, and once it has worked so long it rests as long."""


class ExportStopped(Exception):
    """Nobody waits for this export any more."""


class ExportFile:
    """A file that takes nothing more once `stop` is set; a workbook is put together after its last row, and that takes long too.

    The writer is told once. What it writes after that, or to a closed file, goes nowhere: a workbook that was given up writes its end
    whenever the interpreter collects it.
    """

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop
        self._has_raised = False
        self._position = 0

    def write(self, part: bytes) -> int:
        """Write to the file.

        Raises:
            Stopped: `stop` is set.
            OSError: the file would be larger than an export may be, or there is no room for it.
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
        """Move to a position and return it; in a closed file, where it would be."""
        self._position = offset if self._file.closed else self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """Return the position; in a closed file, where it would be."""
        return self._position if self._file.closed else self._file.tell()

    def flush(self) -> None:
        """Pass on what the file holds back, unless it is closed."""
        if not self._file.closed:
            self._file.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what files have besides
        return getattr(self._file, name)


def throttled(items: Iterator[T], stop: threading.Event, on_check: Callable[[], None]) -> Iterator[T]:
    """Yield items, and rest as long as they took: the thread that answers everybody shares the interpreter with this one.

    Every few items `on_turn` is called.

    Raises:
        Stopped: `stop` is set.
    """
    began_s = time.thread_time()
    for nth, item in enumerate(items, 1):
        yield item
        if nth % ROWS_PER_CHECK:
            continue
        on_check()
        if (worked_s := time.thread_time() - began_s) >= MAX_BURST_S:
            if stop.wait(worked_s):
                raise ExportStopped
            began_s = time.thread_time()
