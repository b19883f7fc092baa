"""Restore of an archive: built beside the existing database, which it then replaces.

The previous database is kept. SQLite: a new file is filled, synced and given the name; the old file
stays under another name. PostgreSQL: one transaction moves the old tables to a schema of their own,
and creates and fills new ones. Nothing is visible before its commit.
"""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pysqlite3.dbapi2 as driver
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from conflicto.platform.db.archive import ArchiveInvalid, open_archive
from conflicto.platform.db.archive_loader import load_archive
from conflicto.platform.db.backup import sync_directory
from conflicto.platform.db.engine import Database
from conflicto.platform.db.errors import DATABASE_ERRORS
from conflicto.platform.db.group import POSTGRES_NOW
from conflicto.platform.db.schema import revision
from conflicto.platform.db.tables import metadata_obj
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.instants import rfc3339
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL, Connection

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.archive import Archive, Header

RESTORE_TIMEOUTS = Timeouts(lock_s=3.0, statement_s=6 * 3600.0)

VERSION_TABLE = "alembic_version"

PREVIOUS_PREFIX = "before_restore_"

FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""Suffixes of the files of one SQLite database."""

MAX_ENDING_S = 3.0
"""Time that PostgreSQL takes at most to end the connections of a server that has stopped."""

ENDING_POLL_INTERVAL_S = 0.05

OTHER_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'conflicto' AND pid <> pg_backend_pid()
"""


class RestoreRefused(RuntimeError):
    """Nothing was restored, and the database is unchanged; the text gives the reason."""


class RestoreHooks(Protocol):
    """Operations of the packages above, for a restore."""

    revisions: Sequence[str]
    """Every schema revision that this program can upgrade from."""

    def migrate(self, connection: Connection, to: str) -> None:
        """Bring the schema to a revision, in the open transaction."""

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs."""

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Begin a new epoch of the restored data, above `clock_us`."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Result of a restore: rows by table, and the place of the previous database or None."""

    header: Header
    rows: dict[str, int]
    previous: str | None


def restore(file: Path, url: URL, hooks: RestoreHooks, clock: Clock) -> Restored:
    """Replace a database by the content of an archive.

    Raises:
        ArchiveInvalid: this program cannot restore the file.
        RestoreRefused: the database is in use, or belongs to a newer program.
    """
    with open_archive(file) as archive:
        if archive.header.schema not in hooks.revisions:
            raise ArchiveInvalid(
                f"{file} has schema {archive.header.schema}, written by version {archive.header.program}; "
                f"this program knows schemas up to {hooks.revisions[-1]}. Restore it with that version or a newer one."
            )
        if url.get_backend_name() == "sqlite":
            return _restore_sqlite(Path(url.database or ""), archive, hooks, clock)
        return _restore_postgres(url, archive, hooks)


def _restore_sqlite(live: Path, archive: Archive, hooks: RestoreHooks, clock: Clock) -> Restored:
    """Fill a file beside the live one, which stays locked, and let it take the name."""
    fresh = live.with_name(f"{live.name}.restoring")
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove(fresh)
    try:
        newest = _newest_of_file(live, hooks)
        with _exclusive_lock(live):
            now_us = clock.wall_us()
            _fill_file(fresh, archive, hooks, max(newest, now_us, archive.header.made_us))
            previous = _replace_file(fresh, live, now_us)
    finally:
        _remove(fresh)
    return Restored(archive.header, archive.rows, None if previous is None else str(previous))


def _remove(path: Path) -> None:
    for ending in FILE_SUFFIXES:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _newest_of_file(live: Path, hooks: RestoreHooks) -> int:
    """Return the newest position of the previous database, 0 if it cannot be read."""
    if not live.exists():
        return 0
    with closing(Database(f"sqlite:///{live}", timeouts=RESTORE_TIMEOUTS)) as db:
        try:
            return db.query(lambda tx: hooks.newest_position(tx.connection))
        except (Unavailable, DBAPIError):
            return 0


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


def _fill_file(fresh: Path, archive: Archive, hooks: RestoreHooks, clock_us: int) -> None:
    with closing(Database(f"sqlite:///{fresh}", timeouts=RESTORE_TIMEOUTS)) as db, db.writer_connection() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA journal_mode=OFF").close()  # a failed restore discards this file
        raw.execute("PRAGMA synchronous=OFF").close()
        with connection.begin():
            _fill(connection, archive, hooks, clock_us)
        connection.invalidate()
    with fresh.open("rb") as file:
        os.fsync(file.fileno())


def _fill(connection: Connection, archive: Archive, hooks: RestoreHooks, clock_us: int) -> None:
    hooks.migrate(connection, archive.header.schema)
    load_archive(connection, archive)
    hooks.migrate(connection, "head")
    hooks.begin_epoch(connection, clock_us)
    connection.execute(text("ANALYZE"))


def _replace_file(fresh: Path, live: Path, now_us: int) -> Path | None:
    """Move the fresh file over the live one, without a moment without a file.

    Returns the new name of the previous file.
    """
    if not live.exists():
        fresh.rename(live)
        sync_directory(live.parent)
        return None
    _remove_leftover_links(live)
    previous = live.with_name(f"{live.name}.{_previous_name(now_us)}")
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


def _previous_name(now_us: int) -> str:
    return PREVIOUS_PREFIX + "".join(each for each in rfc3339(now_us) if each.isdigit())


def _restore_postgres(url: URL, archive: Archive, hooks: RestoreHooks) -> Restored:
    with closing(Database(url.render_as_string(hide_password=False), timeouts=RESTORE_TIMEOUTS)) as db:
        try:
            with db.writer_connection() as connection, connection.begin():
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                _require_alone(connection)
                now_us = int(connection.execute(POSTGRES_NOW).scalar_one())
                newest, previous = _move_to_schema(connection, hooks, _previous_name(now_us))
                _fill(connection, archive, hooks, max(newest, now_us, archive.header.made_us))
        except DATABASE_ERRORS as error:
            raise RestoreRefused(f"The database is unchanged: {error.__cause__ or error}") from error
    return Restored(archive.header, archive.rows, previous)


def _require_alone(connection: Connection) -> None:
    """Wait for connections that are ending, and refuse if one stays open."""
    until_s = time.monotonic() + MAX_ENDING_S
    while others := _other_connections(connection):
        if time.monotonic() >= until_s:
            raise RestoreRefused(f"{others} connections of Conflicto are open on this database. Stop every server, then restore.")
        time.sleep(ENDING_POLL_INTERVAL_S)


def _other_connections(connection: Connection) -> int:
    """Count the connections now: PostgreSQL keeps a snapshot of them for each transaction."""
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    return int(connection.execute(text(OTHER_CONNECTIONS)).scalar_one())


def _move_to_schema(connection: Connection, hooks: RestoreHooks, schema: str) -> tuple[int, str | None]:
    """Move our tables to a schema of their own.

    Returns the newest position in them, and the schema (None: there were no tables).
    """
    tables = set(inspect(connection).get_table_names()) & {VERSION_TABLE, *metadata_obj.tables}
    if not tables:
        return 0, None
    found = revision(connection)
    if found is not None and found not in hooks.revisions:
        raise RestoreRefused(
            f"The database has schema {found}, which this program does not know. Restore with the program that does."
        )
    newest = hooks.newest_position(connection) if found else 0
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    for name in sorted(tables):
        connection.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"')
    return newest, f"schema {schema}"
