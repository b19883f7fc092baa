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

TURN_ROWS = 50
TURN_S = 0.005
"""After so many rows the thread looks at its own clock, and once it has worked so long it rests as long."""


class Stopped(Exception):
    """Nobody waits for this export any more."""


class Sink:
    """A file that takes nothing more once `stop` is set; a workbook is put together after its last row, and that takes long too.

    The writer is told once. What it writes after that, or to a closed file, goes nowhere: a workbook that was given up writes its end
    whenever the interpreter collects it.
    """

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop
        self._has_told = False
        self._position = 0

    def write(self, part: bytes) -> int:
        """Write to the file.

        Raises:
            Stopped: `stop` is set.
            OSError: the file would be larger than an export may be, or there is no room for it.
        """
        self._position += len(part)
        if self._file.closed or self._has_told:
            return len(part)
        if self._stop.is_set() or self._position > MAX_FILE_BYTES:
            self._has_told = True
            raise Stopped if self._stop.is_set() else OSError(errno.EFBIG, "The export is too large")
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


def gently(items: Iterator[T], stop: threading.Event, on_turn: Callable[[], None]) -> Iterator[T]:
    """Yield items, and rest as long as they took: the thread that answers everybody shares the interpreter with this one.

    Every few items `on_turn` is called.

    Raises:
        Stopped: `stop` is set.
    """
    began_s = time.thread_time()
    for nth, item in enumerate(items, 1):
        yield item
        if nth % TURN_ROWS:
            continue
        on_turn()
        if (worked_s := time.thread_time() - began_s) >= TURN_S:
            if stop.wait(worked_s):
                raise Stopped
            began_s = time.thread_time()
