"""Write exports beside a running session: one at a time, in a thread of its own that rests as long as it works.

A file is whole before its first byte is sent, so whoever downloads slowly holds no snapshot, and what goes wrong is said as a problem
instead of ending a file early. It waits in the system's folder for temporary files, without a name.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from conflicto.exports.errors import ExportBusy
from conflicto.exports.files import write_file
from conflicto.platform.db.deadlines import Deadlines
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.problems import Unavailable
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

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


class ExportDesk:
    """Writes the exports of this process. It has a connection of its own, open only meanwhile, so that no poll waits for a reader."""

    def __init__(self, url: URL, types: Registry) -> None:
        self._url = url
        self._types = types
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
        self._job: Job | None = None
        self._is_open = True

    def close(self) -> None:
        """Stop what is being written; nothing more is begun."""
        self._is_open = False
        if self._job is not None:
            self._job.stop.set()
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
        try:
            return await asyncio.wrap_future(self._thread.submit(self._write, job))
        except Stopped:
            if self._is_open:
                raise
            raise Unavailable("The server stops.", retry_after_s=RETRY_AFTER_S) from None
        except OSError as error:
            raise Unavailable("There is no room for the file.", retry_after_s=RETRY_AFTER_S) from error
        finally:
            self._job = None

    def _write(self, job: Job) -> tuple[str, BinaryIO]:
        deadlines = Deadlines(statement_s=LONGEST_S)
        with closing(Database(self._url.render_as_string(hide_password=False), pool=PoolSize(2, 0), deadlines=deadlines)) as db:
            return db.query(_written, job, self._types)


def _written(tx: ReadTx, job: Job, types: Registry) -> tuple[str, BinaryIO]:
    title = session_by_id(tx, job.session_id).title
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
    try:
        write_file(tx, job.session_id, job.form, job.shape, file, types, lambda items: gently(items, job.stop))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return title, file


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
