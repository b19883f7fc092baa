"""SQLite engines: a library without the WAL-reset race, a private file, settings, deadlines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysqlite3.dbapi2 as driver
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from conflicto.platform.db.dialects.dialect import DatabaseUnsupported
from conflicto.platform.db.timed_cursors import Stopwatch, timed_connection_class

if TYPE_CHECKING:
    from sqlalchemy import URL

    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts

FIXED_SINCE = (3, 51, 3)
FIXED_BACKPORTS = ((3, 50, 7), (3, 44, 6))
"""Releases without the WAL-reset corruption race of 3.7.0 … 3.51.2
(sqlite.org/wal.html#walresetbug)."""

OPERATIONS_BETWEEN_CHECKS = 20_000
"""Virtual-machine steps between two checks of the deadline: under 1 ms, and invisible in a profile.
"""

WRITER_CACHE_KIB, READER_CACHE_KIB = 16_384, 2_048
"""Page caches of the writer and of each reader, 54 MiB with 20 connections. Larger ones were not
faster with 200,000 responses: what they lack is in the system's page cache.
"""


def is_safe(version: tuple[int, ...]) -> bool:
    """Return whether a SQLite release is free of the WAL-reset race."""
    return version >= FIXED_SINCE or any(version[:2] == fixed[:2] and version >= fixed for fixed in FIXED_BACKPORTS)


def require_safe_version(version: tuple[int, ...] = driver.sqlite_version_info) -> None:
    """Refuse an affected library, with the remedy.

    Raises:
        DatabaseUnsupported: the version is in the affected range.
    """
    if not is_safe(version):
        found = ".".join(map(str, version))
        message = f"SQLite {found} has the WAL-reset corruption bug (fixed in 3.51.3). Run `pip install 'pysqlite3>=0.6.1'`."
        raise DatabaseUnsupported(message)


def open_engine(url: URL, deadlines: Timeouts, slow_queries: SlowQueries, *, readers: int) -> Engine:
    """Return an engine whose connections read (`readers` > 0) or are the writer (`readers` = 0).

    Raises:
        DatabaseUnsupported: the library can corrupt a database under concurrent checkpoints.
    """
    require_safe_version()
    stopwatch = Stopwatch(slow_queries, "reader" if readers else "writer")
    if url.database and url.database != ":memory:":
        _create_private_file(Path(url.database))
    created = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        module=driver,
        poolclass=QueuePool,
        hide_parameters=True,
        pool_size=max(readers, 1),
        max_overflow=0,
        pool_timeout=deadlines.acquire_s,
        connect_args={
            "check_same_thread": False,
            "timeout": deadlines.lock_s,
            "factory": timed_connection_class(driver.Connection, driver.Cursor, stopwatch),
        },
    )
    event.listen(created, "connect", _setup(deadlines, query_only=readers > 0))
    return created


def _create_private_file(path: Path) -> None:
    """Create the file and its directory if missing, readable by their owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)


def _setup(deadlines: Timeouts, *, query_only: bool) -> Any:  # noqa: ANN401 - an SQLAlchemy listener
    def on_connect(connection: Any, record: Any) -> None:  # noqa: ANN401 - driver objects
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"cache_size=-{READER_CACHE_KIB if query_only else WRITER_CACHE_KIB}",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        until = record.info["until"] = [float("inf")]
        record.info["statement_s"] = deadlines.statement_s
        connection.set_progress_handler(lambda: time.monotonic() > until[0], OPERATIONS_BETWEEN_CHECKS)

    return on_connect
