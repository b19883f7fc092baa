"""Export writer: one export at a time, in a thread that rests as long as it works.

A file is complete before its first byte is sent. So slow downloads hold no snapshot, and errors
become problems instead of truncated files. Every export is a job. A caller that waits takes the
file and removes the job; a job that takes longer continues without its caller.
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
from conflicto.exports.files import FileFormat, write_file
from conflicto.exports.folder import INTERRUPTED, MAX_FILES
from conflicto.exports.output import ExportFile, ExportStopped, throttled
from conflicto.exports.reader import ResponseReader
from conflicto.exports.sheets import Shape
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

MAX_DURATION_S = 600.0
"""Duration limit of one export, rests included."""

RETRY_AFTER_S = 5

PROGRESS_INTERVAL_S = 0.5
"""Interval of progress reports."""

SERVER_STOPPING = "The server stops."
DISK_FULL = "There is no room for the file. Free space on the server, or write it elsewhere with `conflicto export`."

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RunningExport:
    """A job that this process writes."""

    job: ExportJob
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)
    written: asyncio.Future[None] = field(init=False)
    """Done when the file is complete or has failed; set once the thread has the job."""

    is_detached: bool = False
    """True if the job continues without its caller."""

    is_finished: bool = False
    """True when writing has ended. It is set before the final state is stored, so the next job may
    start.
    """

    def cancel(self) -> None:
        """Cancel the statement, the rows and the file, from any thread."""
        self.stop.set()
        self.deadline.is_cancelled = True
        threading.Thread(target=self.deadline.cancel_until_ended, name="cancel", daemon=True).start()


class ExportWriter:
    """Writer of this process's exports, with a database connection of its own."""

    def __init__(self, db: Database, types: Registry, folder: JobFolder, clock: Clock) -> None:
        self._url = db.url.render_as_string(hide_password=False)
        self._slow_queries = db.slow_queries
        self._types = types
        self._folder = folder
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
        self._running: RunningExport | None = None
        self._detached_ids: deque[UUID] = deque(maxlen=MAX_FILES)
        self._is_open = True

    def close(self) -> None:
        """Cancel the running export and reject new ones."""
        self._is_open = False
        if self._running is not None:
            self._running.cancel()
        self._thread.shutdown(wait=False)

    async def remove_files(self) -> None:
        """Remove the files of this process after the server has stopped."""
        for job_id in self._detached_ids:
            await asyncio.to_thread(self._folder.remove_if_ready, job_id)

    async def start(self, job: ExportJob) -> RunningExport:
        """Start writing a job.

        Raises:
            ExportBusy: another export is being written.
            Unavailable: the disk is full, or the server is stopping.
        """
        if not self._is_open:
            raise Unavailable(SERVER_STOPPING, retry_after_s=RETRY_AFTER_S)
        if self._running is not None and not self._running.is_finished:
            raise ExportBusy(retry_after_s=RETRY_AFTER_S)
        writing = self._running = RunningExport(job)
        try:
            file = await asyncio.to_thread(self._folder.create, job)
            writing.written = asyncio.wrap_future(self._thread.submit(self._write, writing, file))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            writing.is_finished = True
            self._raise_problem(error)
        writing.written.add_done_callback(_retrieve_error)
        return writing

    def _raise_problem(self, error: BaseException) -> NoReturn:
        """Raise the problem of an error for the caller, or the error itself."""
        if isinstance(error, OSError):
            log.warning("export-failed", error=str(error))
            raise Unavailable(DISK_FULL, retry_after_s=RETRY_AFTER_S) from error
        if not self._is_open and isinstance(
            error, ExportStopped | RuntimeError
        ):  # the latter where the thread takes nothing any more
            raise Unavailable(SERVER_STOPPING, retry_after_s=RETRY_AFTER_S) from error
        raise error

    async def wait(self, writing: RunningExport, seconds: float) -> bool:
        """Wait for a file and return whether it is complete.

        Otherwise the job is detached and continues. With `seconds` 0 the result is always False,
        however fast the export was.

        Raises:
            NotFound: the session does not exist.
            Unavailable: the database times out, the disk is full, or the server is stopping.
            ExportStopped: the job was cancelled.
        """
        try:
            done, _ = await asyncio.wait({writing.written}, timeout=seconds)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        if not done or not seconds:
            writing.is_detached = True
            self._detached_ids.append(writing.job.id)
            return False
        if (error := writing.written.exception()) is not None:
            self._raise_problem(error)
        return True

    def _write(self, writing: RunningExport, file: BinaryIO) -> None:
        with file:
            try:
                self._write_rows(writing, file)
                self._finish(writing, file)
            except BaseException as error:
                is_stopped = isinstance(error, ExportStopped) or (isinstance(error, Unavailable) and writing.stop.is_set())
                writing.is_finished = True
                if not isinstance(error, ExportStopped | DomainError):
                    log.exception("export-failed", session_id=writing.job.session_id)
                with suppress(OSError):
                    self._folder.fail(writing.job, INTERRUPTED if is_stopped else _failure_detail(error))
                if is_stopped:
                    raise ExportStopped from error
                raise

    def _finish(self, writing: RunningExport, file: BinaryIO) -> None:
        size_bytes = os.fstat(file.fileno()).st_size
        if writing.is_detached:
            self._folder.remove_oldest(writing.job.session_id, 1, size_bytes)
        writing.is_finished = True
        if not self._folder.finish(writing.job, size_bytes):
            raise ExportStopped

    def _write_rows(self, writing: RunningExport, file: BinaryIO) -> None:
        own = Database(
            self._url, pool=PoolSize(2, 0), timeouts=Timeouts(statement_s=MAX_DURATION_S), slow_queries=self._slow_queries
        )
        with closing(own) as db:
            db.query_with_deadline(writing.deadline, partial(self._write_snapshot, writing, file))
        file.flush()

    def _write_snapshot(self, writing: RunningExport, file: BinaryIO, tx: ReadTx) -> None:
        """Write all rows of one snapshot."""
        job = writing.job
        session_by_id(tx, job.session_id)
        reader = ResponseReader(tx, job.session_id)
        report = _ProgressReporter(self._folder, self._clock, writing, reader)
        report.begin(feed_position(tx, job.session_id))
        output: Any = ExportFile(file, writing.stop)
        form, shape = FileFormat(job.form), Shape(job.shape)
        write_file(reader, form, shape, output, self._types, lambda items: throttled(items, writing.stop, report.save_if_due))
        report.save()


class _ProgressReporter:
    """Progress of a job, saved from time to time for all processes."""

    def __init__(self, folder: JobFolder, clock: Clock, writing: RunningExport, reader: ResponseReader) -> None:
        self._folder = folder
        self._clock = clock
        self._writing = writing
        self._reader = reader
        self._next_s = clock.monotonic_s() + PROGRESS_INTERVAL_S

    def begin(self, snapshot_ts: int) -> None:
        """Save the snapshot's position and total."""
        self._save(snapshot_ts=snapshot_ts, responses_total=self._reader.total())

    def save_if_due(self) -> None:
        """Save the progress if it is due; raises as `save` does."""
        if self._clock.monotonic_s() >= self._next_s:
            self._next_s = self._clock.monotonic_s() + PROGRESS_INTERVAL_S
            self.save()

    def save(self) -> None:
        """Save the progress.

        Raises:
            ExportStopped: the job was removed.
        """
        self._save(responses_read=self._reader.responses_read)

    def _save(self, **fields: int) -> None:
        self._writing.job = msgspec.structs.replace(self._writing.job, **fields)
        if not self._folder.replace(self._writing.job):
            raise ExportStopped


def _retrieve_error(future: asyncio.Future[None]) -> None:
    """Retrieve an error that nobody awaits, which silences asyncio's warning."""
    if not future.cancelled():
        future.exception()


def _failure_detail(error: BaseException) -> str:
    if isinstance(error, OSError):
        return DISK_FULL
    if isinstance(error, Unavailable):
        return (
            f"The database did not answer within {MAX_DURATION_S / 60:.0f} minutes. Ask for the export again when less is going on."
        )
    return "Something went wrong on the server. Ask its operator to look for `export-failed` in its log."
