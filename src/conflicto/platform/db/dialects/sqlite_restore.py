"""Replacement of a SQLite file: a new file is filled, synced and given the name of the old one."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysqlite3.dbapi2 as driver
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from conflicto.platform.db.dialects.dialect import PREVIOUS_PREFIX, RestoreRefused, previous_name
from conflicto.platform.db.slow_queries import SlowQueries
from conflicto.platform.files import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.dialects.dialect import Dialect, NewContent
    from conflicto.platform.db.timeouts import Timeouts

FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""Suffixes of the files of one SQLite database."""


def replace_file(dialect: Dialect, url: URL, content: NewContent, timeouts: Timeouts, clock: Clock, made_us: int) -> Path | None:
    """Fill a file beside the live one, which stays locked, and let it take the name.

    Returns the new name of the previous file.
    """
    live = Path(url.database or "")
    fresh = live.with_name(f"{live.name}.restoring")
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove(fresh)
    try:
        newest = _newest_position(dialect, url, content, timeouts) if live.exists() else 0
        with _exclusive_lock(live):
            now_us = clock.wall_us()
            _fill_file(dialect, url.set(database=str(fresh)), content, timeouts, max(newest, now_us, made_us))
            return _move(fresh, live, now_us)
    finally:
        _remove(fresh)


def _remove(path: Path) -> None:
    for ending in FILE_SUFFIXES:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _newest_position(dialect: Dialect, url: URL, content: NewContent, timeouts: Timeouts) -> int:
    """Return the newest position of the previous database, 0 if it cannot be read."""
    engine = dialect.open_readers(url, timeouts, SlowQueries(), size=1, overflow=0, timeline=lambda: None)
    try:
        with engine.connect() as connection, connection.begin():
            return content.newest_position(connection)
    except (DBAPIError, PoolTimeout):
        return 0
    finally:
        engine.dispose()


@contextmanager
def _exclusive_lock(live: Path) -> Iterator[None]:
    """Lock the file against all others, and checkpoint its -wal.

    Raises:
        RestoreRefused: another process has it open.
    """
    if not live.exists():
        yield
        return
    with closing(driver.connect(str(live), isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
        except driver.OperationalError as error:
            raise RestoreRefused(f"{live} is in use ({error}). Stop the server, then restore.") from error
        except driver.DatabaseError:
            pass  # too damaged to read, which may be the reason for the restore
        yield


def _fill_file(dialect: Dialect, url: URL, content: NewContent, timeouts: Timeouts, clock_us: int) -> None:
    engine = dialect.open_writer(url, timeouts, SlowQueries())
    try:
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA journal_mode=OFF").close()  # a failed restore discards this file
            raw.execute("PRAGMA synchronous=OFF").close()
            with connection.begin():
                content.fill(connection, clock_us)
            connection.invalidate()
    finally:
        engine.dispose()
    with Path(url.database or "").open("rb") as file:
        os.fsync(file.fileno())


def _move(fresh: Path, live: Path, now_us: int) -> Path | None:
    """Move the fresh file over the live one, without a moment without a file.

    Returns the new name of the previous file.
    """
    if not live.exists():
        fresh.rename(live)
        sync_directory(live.parent)
        return None
    _remove_leftover_links(live)
    previous = live.with_name(f"{live.name}.{previous_name(now_us)}")
    for ending in FILE_SUFFIXES[1:]:
        with suppress(FileNotFoundError):
            live.with_name(live.name + ending).rename(previous.with_name(previous.name + ending))
    os.link(live, previous)
    fresh.replace(live)
    sync_directory(live.parent)
    return previous


def _remove_leftover_links(live: Path) -> None:
    """Remove the second name of a live file that an interrupted restore left behind."""
    for other in live.parent.glob(f"{live.name}.{PREVIOUS_PREFIX}*"):
        if other.samefile(live):
            other.unlink()
