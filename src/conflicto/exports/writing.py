"""Write exports beside a running session: one at a time, in a thread of its own that rests as long as it works.

A file is whole before its first byte is sent, so whoever downloads slowly holds no snapshot, and what goes wrong is said as a problem
instead of ending a file early. It waits in the system's folder for temporary files, without a name.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from conflicto.exports.errors import ExportBusy
from conflicto.exports.files import write_file
from conflicto.platform.db.cancellation import Deadline
from conflicto.platform.db.deadlines import Deadlines
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.problems import Unavailable
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conflicto.activity_types.registry import Registry
    from conflicto.exports.files import Form
    from conflicto.exports.sheets import Shape
    from conflicto.platform.db.transaction import ReadTx

    T = TypeVar("T")

LONGEST_S = 600.0
"""How long one export may take, rests included."""

RETRY_AFTER_S = 5

TURN_ROWS = 50
TURN_S = 0.005
"""After so many rows the thread looks at its own clock, and once it has worked so long it rests as long."""


class Stopped(Exception):
    """Nobody waits for this export any more."""


@dataclass(slots=True)
class Job:
    """One export that is being written."""

    session_id: int
    form: Form
    shape: Shape
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)

    def end(self) -> None:
        """Let it end soon, from any thread: its statement, its rows, and what is written of the file."""
        self.stop.set()
        self.deadline.is_cancelled = True
        threading.Thread(target=self.deadline.cancel_until_ended, name="cancel", daemon=True).start()


class ExportDesk:
    """Writes the exports of this process. It has a connection of its own, open only meanwhile, so that no poll waits for a reader."""

    def __init__(self, db: Database, types: Registry) -> None:
        self._url = db.url.render_as_string(hide_password=False)
        self._slow_queries = db.slow_queries
        self._types = types
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
        self._job: Job | None = None
        self._is_open = True

    def close(self) -> None:
        """Stop what is being written; nothing more is begun."""
        self._is_open = False
        if self._job is not None:
            self._job.end()
        self._thread.shutdown(wait=False)

    async def written(self, job: Job) -> tuple[str, BinaryIO]:
        """Return a session's title and its export, a whole file to be read from its start and closed.

        Raises:
            ExportBusy: another one is being written.
            NotFound: there is no such session.
            Unavailable: the database does not answer, the disk is full, or the server stops.
            Stopped: the job was.
        """
        if not self._is_open:
            raise Unavailable("The server stops.", retry_after_s=RETRY_AFTER_S)
        if self._job is not None:
            raise ExportBusy(retry_after_s=RETRY_AFTER_S)
        self._job = job
        writing = self._thread.submit(self._write, job)
        try:
            return await asyncio.wrap_future(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(close_unread)
            raise
        except Stopped:
            if self._is_open:
                raise
            raise Unavailable("The server stops.", retry_after_s=RETRY_AFTER_S) from None
        except OSError as error:
            raise Unavailable("There is no room for the file.", retry_after_s=RETRY_AFTER_S) from error
        finally:
            self._job = None

    def _write(self, job: Job) -> tuple[str, BinaryIO]:
        own = Database(self._url, pool=PoolSize(2, 0), deadlines=Deadlines(statement_s=LONGEST_S), slow_queries=self._slow_queries)
        with closing(own) as db:
            file: Any = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
            try:
                title = db.query_until(job.deadline, lambda tx: _written(tx, job, self._types, file))
            except BaseException as error:
                file.close()
                if isinstance(error, Unavailable) and job.stop.is_set():
                    raise Stopped from error
                raise
            return title, file


def close_unread(writing: Future[tuple[str, BinaryIO]]) -> None:
    """Close a file that nobody waits for any more."""
    if not writing.cancelled() and writing.exception() is None:
        writing.result()[1].close()


def _written(tx: ReadTx, job: Job, types: Registry, file: BinaryIO) -> str:
    """Write an export to `file`, which stands at its start then, and return the session's title."""
    title = session_by_id(tx, job.session_id).title
    sink: Any = Sink(file, job.stop)
    write_file(tx, job.session_id, job.form, job.shape, sink, types, lambda items: gently(items, job.stop))
    file.seek(0)
    return title


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
        """
        self._position += len(part)
        if self._file.closed:
            return len(part)
        if not self._stop.is_set():
            return self._file.write(part)
        if not self._has_told:
            self._has_told = True
            raise Stopped
        return len(part)

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


def gently(items: Iterator[T], stop: threading.Event) -> Iterator[T]:
    """Yield items, and rest as long as they took: the thread that answers everybody shares the interpreter with this one.

    Raises:
        Stopped: `stop` is set.
    """
    began_s = time.thread_time()
    for nth, item in enumerate(items, 1):
        yield item
        if nth % TURN_ROWS == 0 and (worked_s := time.thread_time() - began_s) >= TURN_S:
            if stop.wait(worked_s):
                raise Stopped
            began_s = time.thread_time()
