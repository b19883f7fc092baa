"""Connections to the database: `read` for queries, `writer_connection` for the writer."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import QueuePool

from conflicto.platform.db.cancellation import NO_DEADLINE, Deadline
from conflicto.platform.db.dialects.registry import dialect_of, parse_database_url
from conflicto.platform.db.errors import POSSIBLE_OUTAGES, RETRY_AFTER_S, is_damaged, is_outage, unavailable
from conflicto.platform.db.read_categories import MAX_LOAD_WAIT_S, CategoryReader, max_list_readers, max_load_readers
from conflicto.platform.db.reader_queue import ReaderQueue
from conflicto.platform.db.slow_queries import ROUTE, SlowQueries
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from sqlalchemy import Connection, Engine

    from conflicto.platform.db.reader_queue import ReadCategory

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

MIN_CONNECTIONS = 2
"""Connections of one process: one writes, one reads."""

MAX_CLOSE_S = 2.0
"""Time for running reads to notice their cancellation."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """Connections of one process: `size` stay open, up to `overflow` more open on demand.

    One of them is the writer's.
    """

    size: int = 20
    overflow: int = 30

    @classmethod
    def share(cls, size: int, overflow: int, *, workers: int) -> PoolSize:
        """Return one worker's share of the connections of all workers.

        >>> PoolSize.share(20, 30, workers=4)
        PoolSize(size=5, overflow=7)
        """
        return cls(max(MIN_CONNECTIONS, size // workers), overflow // workers)

    @property
    def max_connections(self) -> int:
        """Number of connections that may be open."""
        return self.size + self.overflow

    @property
    def readers(self) -> int:
        """Number of reads that may run at once."""
        return max(1, self.max_connections - 1)


class Database:
    """The connections of one process. Close it when the process ends.

    `lists` and `loads` run reads that may be long, and leave some readers free. `on_query` is
    called on the event loop with the duration of each read, seconds. `timeline` is the known
    timeline of the server; new connections of readers check it. `is_damaged` is set once a page of
    the file was found damaged. It is never cleared, because cached pages hide the damage from later
    reads.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: PoolSize | None = None,
        timeouts: Timeouts | None = None,
        slow_queries: SlowQueries | None = None,
    ) -> None:
        self.url = parse_database_url(url)
        self.slow_queries = slow_queries = slow_queries or SlowQueries()
        self.timeouts = timeouts or Timeouts()
        self.dialect = dialect = dialect_of(self.url)
        self.pool = pool = pool or PoolSize()
        readers = dialect.max_readers(pool.readers)
        size = max(1, min(pool.size - 1, readers))
        self._writer = dialect.open_writer(self.url, self.timeouts, slow_queries)
        self._readers = dialect.open_readers(
            self.url, self.timeouts, slow_queries, size=size, overflow=readers - size, timeline=lambda: self.timeline
        )
        self._threads = ThreadPoolExecutor(max_workers=readers, thread_name_prefix="reader")
        self.reader_queue = ReaderQueue(readers)
        self.default_category = self.reader_queue.add_category(
            readers, max_wait_s=self.timeouts.queue_s, stalled_s=self.timeouts.acquire_s, busy_detail="All readers are busy."
        )
        self._running: dict[Future[Any], Deadline] = {}
        self.lists = CategoryReader(self, max_list_readers(readers), self.timeouts.queue_s, stalled_s=self.timeouts.acquire_s)
        self.loads = CategoryReader(self, max_load_readers(readers), MAX_LOAD_WAIT_S)
        self.max_connections = readers + 1
        self.on_query: Callable[[float], None] | None = None
        self.timeline: str | None = None
        self.is_damaged = False

    @property
    def is_shared(self) -> bool:
        """Return whether other processes may write to it."""
        return self.dialect.is_shared

    async def read(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` in one snapshot, in a reader thread.

        It runs until it ends, its time is over, or its caller is cancelled.

        Raises:
            Unavailable: no reader or result came before the deadline, or the database is down.
        """
        return await self.read_in(self.default_category, lambda tx: query(tx, *args, **kwargs))

    async def read_unmeasured(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` as `read` does, without metrics and slow query log, for private reads."""
        return await self.read_in(self.default_category, lambda tx: query(tx, *args, **kwargs), is_measured=False)

    async def read_in(
        self, category: ReadCategory, query: Callable[[ReadTx], T], *, is_urgent: bool = False, is_measured: bool = True
    ) -> T:
        """Run `query` as `read` does, in a category of reads.

        Its place is free once the reader is, which may be later than the caller's timeout. An
        urgent read runs before all waiting reads: probes check whether readers still come free.
        """
        await self.reader_queue.acquire(category, is_urgent=is_urgent)
        deadline = Deadline()
        future = self._threads.submit(self._timed if is_measured else self._timed_unlogged, deadline, query, ROUTE.get())
        self._running[future] = deadline
        running = asyncio.wrap_future(future)
        running.add_done_callback(partial(self._on_read_done, category, future, self.on_query if is_measured else None))
        try:
            async with asyncio.timeout(self.timeouts.caller_s):
                return (await asyncio.shield(running))[0]
        except TimeoutError as error:
            self.cancel(deadline)
            raise unavailable(error) from error
        except asyncio.CancelledError:
            self.cancel(deadline)
            raise

    @property
    def stuck_reads(self) -> int:
        """Number of cancelled reads that still run: their readers are stuck."""
        return sum(deadline.is_cancelled for deadline in self._running.values())

    def cancel(self, deadline: Deadline) -> None:
        """End a read, from the event loop.

        A server gets the cancellation over a new connection, in a thread of its own.
        """
        deadline.is_cancelled = True
        if self.dialect.cancels_late:
            threading.Thread(target=deadline.cancel_until_ended, name="cancel", daemon=True).start()
        else:
            deadline.cancel()

    def connections(self) -> tuple[int, int]:
        """Return the number of connections in use and of open connections."""
        pools = [_pool(self._readers), _pool(self._writer)]
        used = sum(pool.checkedout() for pool in pools)
        return used, used + sum(pool.checkedin() for pool in pools)

    def _timed(self, deadline: Deadline, query: Callable[[ReadTx], T], route: str | None) -> tuple[T, float]:
        self.slow_queries.begin(route)
        began = time.monotonic()
        deadline.start(self.timeouts.caller_s)
        return self.query_with_deadline(deadline, query), time.monotonic() - began

    def _timed_unlogged(self, deadline: Deadline, query: Callable[[ReadTx], T], route: str | None) -> tuple[T, float]:
        with self.slow_queries.defer(is_reported=False):
            return self._timed(deadline, query, route)

    def _on_read_done(
        self,
        category: ReadCategory,
        future: Future[tuple[T, float]],
        on_query: Callable[[float], None] | None,
        running: asyncio.Future[tuple[T, float]],
    ) -> None:
        del self._running[future]
        duration_s = None if running.cancelled() or running.exception() else running.result()[1]
        self.reader_queue.release(category, duration_s)
        if duration_s is not None and on_query is not None:
            on_query(duration_s)

    def query(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` in one snapshot, in this thread; raises `Unavailable` as `read` does."""
        return self.query_with_deadline(NO_DEADLINE, lambda tx: query(tx, *args, **kwargs))

    def query_with_deadline(self, deadline: Deadline, query: Callable[[ReadTx], T]) -> T:
        """Run `query` in this thread until it ends or `deadline` is over."""
        try:
            with self._readers.connect() as connection, connection.begin(), self._interruptible(connection, deadline):
                tx = ReadTx(connection, deadline)
                try:
                    return query(tx)
                finally:
                    tx.close_rows()
        except POSSIBLE_OUTAGES as error:
            if deadline.is_cancelled:
                raise Unavailable(retry_after_s=RETRY_AFTER_S) from error
            if not is_outage(error):
                raise
            self.note_damage(error)
            raise unavailable(error) from error

    @contextmanager
    def _interruptible(self, connection: Connection, deadline: Deadline) -> Iterator[None]:
        """Allow the cancellation of a read.

        A cancelled connection is discarded if the signal may arrive late.
        """
        if deadline is NO_DEADLINE:
            yield
            return
        try:
            with deadline.interrupting(partial(self.dialect.interrupt, connection)):
                yield
        finally:
            if deadline.is_cancelled and self.dialect.cancels_late:
                connection.invalidate()

    def note_damage(self, error: Exception) -> None:
        """Record, and log once, that the database file is damaged; safe in any thread."""
        if is_damaged(error) and not self.is_damaged:
            self.is_damaged = True
            log.error("database-damaged", message=str(getattr(error, "orig", error)))

    def writer_connection(self) -> Connection:
        """Return the writer's connection.

        On SQLite its transactions hold the write lock from `BEGIN` on.
        """
        return self._writer.connect()

    def close(self) -> None:
        """Cancel running reads, then close every connection.

        A thread that does not end is abandoned.
        """
        for deadline in list(self._running.values()):
            deadline.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        _, running = wait_for(list(self._running), timeout=MAX_CLOSE_S)
        if running:
            log.error("readers-stuck", readers=len(running))
        self._readers.dispose()
        self._writer.dispose()


def _pool(engine: Engine) -> QueuePool:
    pool = engine.pool
    assert isinstance(pool, QueuePool)  # noqa: S101 - both modules make no other
    return pool
