"""Write exports beside a running session: one at a time, in a thread of its own that rests as long as it works.

A file is whole before its first byte is sent, so whoever downloads slowly holds no snapshot, and what goes wrong is said as a problem
instead of ending a file early. Every export is a job in the folder of jobs; the caller who waits for it takes its file and ends the job,
and one that takes longer goes on without its caller.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import msgspec
import structlog

from conflicto.exports.errors import ExportBusy
from conflicto.exports.files import Form, write_file
from conflicto.exports.folder import INTERRUPTED, MAX_FILES
from conflicto.exports.reading import AnswerReader
from conflicto.exports.sheets import Shape
from conflicto.exports.sink import Sink, Stopped, gently
from conflicto.platform.db.cancellation import Deadline
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.problems import DomainError, Unavailable
from conflicto.sessions.queries import feed_position, session_by_id

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.activity_types.registry import Registry
    from conflicto.exports.folder import JobFolder
    from conflicto.exports.model import ExportJob
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.transaction import ReadTx

LONGEST_S = 600.0
"""How long one export may take, rests included."""

RETRY_AFTER_S = 5

REPORT_S = 0.5
"""Time between two reports of progress."""

STOPPING = "The server stops."
NO_ROOM = "There is no room for the file. Free space on the server, or write it elsewhere with `conflicto export`."

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Writing:
    """A job that this process writes."""

    job: ExportJob
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)
    whole: asyncio.Future[None] = field(init=False)
    """Done once the file is whole, or never will be; set as soon as the thread has it."""

    is_kept: bool = False
    """True while the job goes on without the caller who asked for it."""

    is_over: bool = False
    """True once nothing is written any more: set before anybody can read that the job has ended, so that the next one may begin then."""

    def end(self) -> None:
        """Let it end soon, from any thread: its statement, its rows, and what is written of the file."""
        self.stop.set()
        self.deadline.is_cancelled = True
        threading.Thread(target=self.deadline.cancel_until_ended, name="cancel", daemon=True).start()


class ExportDesk:
    """Writes the exports of this process. It has a connection of its own, open only meanwhile, so that no poll waits for a reader."""

    def __init__(self, db: Database, types: Registry, folder: JobFolder, clock: Clock) -> None:
        self._url = db.url.render_as_string(hide_password=False)
        self._slow_queries = db.slow_queries
        self._types = types
        self._folder = folder
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
        self._writing: Writing | None = None
        self._kept: deque[UUID] = deque(maxlen=MAX_FILES)
        self._is_open = True

    def close(self) -> None:
        """Stop what is being written; nothing more is begun."""
        self._is_open = False
        if self._writing is not None:
            self._writing.end()
        self._thread.shutdown(wait=False)

    async def leave(self) -> None:
        """Remove the files that this process has written, when the server has stopped."""
        for job_id in self._kept:
            await asyncio.to_thread(self._folder.remove_ready, job_id)

    async def start(self, job: ExportJob) -> Writing:
        """Begin to write a job.

        Raises:
            ExportBusy: another one is being written.
            Unavailable: there is no room for a file, or the server stops.
        """
        if not self._is_open:
            raise Unavailable(STOPPING, retry_after_s=RETRY_AFTER_S)
        if self._writing is not None and not self._writing.is_over:
            raise ExportBusy(retry_after_s=RETRY_AFTER_S)
        writing = self._writing = Writing(job)
        try:
            file = await asyncio.to_thread(self._folder.create, job)
            writing.whole = asyncio.wrap_future(self._thread.submit(self._write, writing, file))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            writing.is_over = True
            self._refuse(error)
        writing.whole.add_done_callback(_read_error)
        return writing

    def _refuse(self, error: BaseException) -> NoReturn:
        """Raise what a caller is told of an error, which may be the error itself."""
        if isinstance(error, OSError):
            log.warning("export-failed", error=str(error))
            raise Unavailable(NO_ROOM, retry_after_s=RETRY_AFTER_S) from error
        if not self._is_open and isinstance(error, Stopped | RuntimeError):  # the latter where the thread takes nothing any more
            raise Unavailable(STOPPING, retry_after_s=RETRY_AFTER_S) from error
        raise error

    async def wait(self, writing: Writing, seconds: float) -> bool:
        """Wait for a file, and say whether it is whole; if it is not after some seconds, the job is kept and goes on.

        Who does not wait at all is answered in the same way however quick the file was.

        Raises:
            NotFound: there is no such session.
            Unavailable: the database does not answer, the disk is full, or the server stops.
            Stopped: the job was.
        """
        try:
            done, _ = await asyncio.wait({writing.whole}, timeout=seconds)
        except asyncio.CancelledError:
            writing.end()
            raise
        if not done or not seconds:
            writing.is_kept = True
            self._kept.append(writing.job.id)
            return False
        if (error := writing.whole.exception()) is not None:
            self._refuse(error)
        return True

    def _write(self, writing: Writing, file: BinaryIO) -> None:
        with file:
            try:
                self._fill(writing, file)
                self._finish(writing, file)
            except BaseException as error:
                is_stopped = isinstance(error, Stopped) or (isinstance(error, Unavailable) and writing.stop.is_set())
                writing.is_over = True
                if not isinstance(error, Stopped | DomainError):
                    log.exception("export-failed", session_id=writing.job.session_id)
                with suppress(OSError):
                    self._folder.fail(writing.job, INTERRUPTED if is_stopped else _reason(error))
                if is_stopped:
                    raise Stopped from error
                raise

    def _finish(self, writing: Writing, file: BinaryIO) -> None:
        size_bytes = os.fstat(file.fileno()).st_size
        if writing.is_kept:
            self._folder.make_room(writing.job.session_id, 1, size_bytes)
        writing.is_over = True
        if not self._folder.end(writing.job, size_bytes):
            raise Stopped

    def _fill(self, writing: Writing, file: BinaryIO) -> None:
        own = Database(self._url, pool=PoolSize(2, 0), timeouts=Timeouts(statement_s=LONGEST_S), slow_queries=self._slow_queries)
        with closing(own) as db:
            db.query_with_deadline(writing.deadline, partial(self._read, writing, file))
        file.flush()

    def _read(self, writing: Writing, file: BinaryIO, tx: ReadTx) -> None:
        """Write all rows of one snapshot."""
        job = writing.job
        session_by_id(tx, job.session_id)
        reader = AnswerReader(tx, job.session_id)
        report = _Report(self._folder, self._clock, writing, reader)
        report.begin(feed_position(tx, job.session_id))
        sink: Any = Sink(file, writing.stop)
        form, shape = Form(job.form), Shape(job.shape)
        write_file(reader, form, shape, sink, self._types, lambda items: gently(items, writing.stop, report.on_turn))
        report.save()


class _Report:
    """Tells all processes how far a job is, now and then."""

    def __init__(self, folder: JobFolder, clock: Clock, writing: Writing, reader: AnswerReader) -> None:
        self._folder = folder
        self._clock = clock
        self._writing = writing
        self._reader = reader
        self._next_s = clock.monotonic_s() + REPORT_S

    def begin(self, snapshot_ts: int) -> None:
        """Save what is to be read."""
        self._save(snapshot_ts=snapshot_ts, responses_total=self._reader.total())

    def on_turn(self) -> None:
        """Save the progress if the time has come; raises as `save` does."""
        if self._clock.monotonic_s() >= self._next_s:
            self._next_s = self._clock.monotonic_s() + REPORT_S
            self.save()

    def save(self) -> None:
        """Save the progress.

        Raises:
            Stopped: the job was removed meanwhile.
        """
        self._save(responses_read=self._reader.answers_read)

    def _save(self, **fields: int) -> None:
        self._writing.job = msgspec.structs.replace(self._writing.job, **fields)
        if not self._folder.replace(self._writing.job):
            raise Stopped


def _read_error(whole: asyncio.Future[None]) -> None:
    """Take note of an error that nobody waits for, or asyncio complains."""
    if not whole.cancelled():
        whole.exception()


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return NO_ROOM
    if isinstance(error, Unavailable):
        return f"The database did not answer within {LONGEST_S / 60:.0f} minutes. Ask for the export again when less is going on."
    return "Something went wrong on the server. Ask its operator to look for `export-failed` in its log."
