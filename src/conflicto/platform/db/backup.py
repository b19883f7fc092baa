"""Online backup of the whole database: one snapshot, in the format of `archive.py`.

It takes no lock that blocks a writer. The file gets its name only after it was completed, verified
and synced to disk. Only its owner may read it.
"""

from __future__ import annotations

import os
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO

import psycopg
import pysqlite3.dbapi2 as driver
from sqlalchemy import Boolean, LargeBinary, select, text
from sqlalchemy.exc import DBAPIError

from conflicto import __version__
from conflicto.platform.db.archive import ArchiveInvalid, ArchiveWriter, Header, Section, open_archive
from conflicto.platform.db.group import POSTGRES_NOW
from conflicto.platform.db.metadata import EPOCH
from conflicto.platform.db.schema import SCHEMA
from conflicto.platform.db.tables import Uuid16, metadata_obj, metadata_table
from conflicto.platform.instants import rfc3339
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Column, Table

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx

ROWS_PER_FETCH = 5_000
"""Rows that PostgreSQL sends at a time."""

NO_IDLE_TIMEOUT = "SET LOCAL idle_in_transaction_session_timeout = 0"
"""Allows for a slow disk between two chunks. Other readers are cut off after 10 s."""


class BackupFailed(RuntimeError):
    """No copy was made; existing files are untouched."""


def back_up(db: Database, target: Path, clock: Clock, *, extra_metadata: Mapping[str, str]) -> dict[str, int]:
    """Write an archive to `target`, replaced once the new one is complete; returns rows per table.

    `extra_metadata` is added to the database's own metadata.

    Raises:
        BackupFailed: the text gives the reason.
    """
    unfinished = target.with_name(f"{target.name}.partial")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            rows = db.query(_write_archive, file, clock, extra_metadata)
            file.flush()
            os.fsync(file.fileno())
        with open_archive(unfinished):
            unfinished.replace(target)
        sync_directory(target.parent)
    except (OSError, ArchiveInvalid, DBAPIError, driver.Error, psycopg.Error, Unavailable) as error:
        raise BackupFailed(f"{target}: {error.__cause__ or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def sync_directory(folder: Path) -> None:
    """Sync a directory, so that its names survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def value_kind(column: Column[Any]) -> str:
    """Return how a column's values are written.

    `bytes` and `uuid` are hex, `bool` is true or false, `plain` values are unchanged.
    """
    if isinstance(column.type, Uuid16):
        return "uuid"
    if isinstance(column.type, LargeBinary):
        return "bytes"
    return "bool" if isinstance(column.type, Boolean) else "plain"


def _write_archive(tx: ReadTx, file: BinaryIO, clock: Clock, extra_metadata: Mapping[str, str]) -> dict[str, int]:
    if tx.dialect == "sqlite":
        _require_sound(tx)
        made_us = clock.wall_us()
    else:
        tx.connection.execute(text(NO_IDLE_TIMEOUT))
        made_us = int(tx.scalar(POSTGRES_NOW))
    epoch = tx.scalar(select(metadata_table.c.value).where(metadata_table.c.key == EPOCH))
    archive = ArchiveWriter(file, Header(SCHEMA, made_us, rfc3339(made_us), __version__, tx.dialect, epoch))
    for table in metadata_obj.sorted_tables:
        columns = list(table.columns)
        section = Section(str(table.name), tuple(str(column.name) for column in columns), tuple(map(value_kind, columns)))
        archive.section(section, _rows(tx, table, section.kinds, list(extra_metadata.items()) if table is metadata_table else ()))
    return archive.finish()


def _require_sound(tx: ReadTx) -> None:
    found = [row[0] for row in tx.all(text("PRAGMA integrity_check"))]
    if found != ["ok"]:
        raise BackupFailed(f"The database is damaged, and a copy of it would be damaged too: {'; '.join(found)}")


def _rows(tx: ReadTx, table: Table, kinds: Sequence[str], more: Iterable[tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    """Yield a table's rows in archive form, directly from the driver.

    SQLAlchemy's wrapper around each of a million rows costs more than all other work.
    """
    statement = str(select(table).compile(dialect=tx.connection.dialect))
    raw: Any = tx.connection.connection.driver_connection
    cursor = raw.cursor() if tx.dialect == "sqlite" else raw.cursor(name=f"backup_{table.name}")
    if tx.dialect == "postgresql":
        cursor.itersize = ROWS_PER_FETCH
    written = [_SQLITE[kind] if tx.dialect == "sqlite" else _POSTGRES[kind] for kind in kinds]
    special = [(at, write) for at, write in enumerate(written) if write is not None]
    try:
        for row in cursor.execute(statement):
            yield _plain(row, special)
    finally:
        cursor.close()
    yield from more


def _plain(row: Sequence[Any], special: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for at, write in special:
        if values[at] is not None:
            values[at] = write(values[at])
    return values


_SQLITE: dict[str, Callable[[Any], Any] | None] = {"plain": None, "bool": bool, "bytes": bytes.hex, "uuid": bytes.hex}
_POSTGRES: dict[str, Callable[[Any], Any] | None] = {"plain": None, "bool": None, "bytes": bytes.hex, "uuid": attrgetter("hex")}
