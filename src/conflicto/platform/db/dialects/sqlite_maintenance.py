"""Maintenance of a SQLite file: checks, and rows from and to an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pysqlite3.dbapi2 as driver
from sqlalchemy import column, insert, select, table, text

from conflicto.platform.db.dialects.dialect import CheckResult
from conflicto.platform.db.dialects.row_conversion import convert_rows
from conflicto.platform.db.dialects.sqlite_connections import is_safe
from conflicto.platform.db.dialects.sqlite_restore import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import URL, Connection, Table

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.archive import Section
    from conflicto.platform.db.dialects.dialect import Dialect, NewContent
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.db.transaction import ReadTx

SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
"""Names of the levels of `PRAGMA synchronous`."""

INDEXES = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :name")

TO_ARCHIVE: dict[str, Callable[[Any], Any]] = {"bool": bool, "bytes": bytes.hex, "uuid": bytes.hex}
FROM_ARCHIVE: dict[str, Callable[[Any], Any]] = {"bytes": bytes.fromhex, "uuid": bytes.fromhex}


class SQLiteMaintenance:
    """The `Maintenance` of SQLite."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def lock_schema(self, connection: Connection, *, first_table: str, is_current: Callable[[], bool]) -> None:
        """Do nothing: the writer's transaction locks the whole file."""

    def version_and_durability(self, tx: ReadTx) -> tuple[str, str]:
        """Return the library's version, and the level of syncs."""
        level = SYNCHRONOUS[tx.scalar(text("PRAGMA synchronous"))]
        return str(tx.scalar(text("SELECT sqlite_version()"))), f"synchronous={level}"

    def find_damage(self, tx: ReadTx) -> list[str]:
        """Read the whole file, and return what SQLite finds."""
        found = [row[0] for row in tx.all(text("PRAGMA integrity_check"))]
        return [] if found == ["ok"] else found

    def checks(self, tx: ReadTx) -> list[CheckResult]:
        """Return the checks of version, durability and integrity."""
        journal, level = tx.scalar(text("PRAGMA journal_mode")), tx.scalar(text("PRAGMA synchronous"))
        damage = self.find_damage(tx)
        return [
            CheckResult("version", is_safe(driver.sqlite_version_info), f"SQLite {driver.sqlite_version}"),
            CheckResult("durability", (journal, level) == ("wal", 2), f"journal_mode={journal} synchronous={level}"),
            CheckResult("integrity", not damage, "; ".join(damage) or "ok"),
        ]

    def allow_pauses(self, connection: Connection) -> None:
        """Do nothing: only the deadline of the transaction ends it."""

    def stored_rows(self, tx: ReadTx, table: Table, kinds: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield rows as the file has them: booleans are numbers there, UUIDs bytes."""
        raw: Any = tx.connection.connection.driver_connection
        cursor = raw.cursor()
        try:
            yield from convert_rows(cursor.execute(str(select(table).compile(tx.connection))), kinds, TO_ARCHIVE)
        finally:
            cursor.close()

    def indexes(self, connection: Connection, table: str) -> list[tuple[str, str]]:
        """Return the indexes that have a statement of their own."""
        return [(row.name, row.sql) for row in connection.execute(INDEXES, {"name": table})]

    def load_rows(self, connection: Connection, section: Section, rows: Iterable[list[Any]]) -> None:
        """Insert the rows one by one, in one call of the driver."""
        statement = insert(table(section.table, *map(column, section.columns))).compile(dialect=connection.dialect)
        raw: Any = connection.connection.driver_connection
        raw.executemany(str(statement), convert_rows(rows, section.kinds, FROM_ARCHIVE))

    def replace(self, url: URL, content: NewContent, timeouts: Timeouts, clock: Clock, made_us: int) -> str | None:
        """Fill a new file, which then takes the name; the old file stays under another name."""
        previous = replace_file(self._dialect, url, content, timeouts, clock, made_us)
        return None if previous is None else str(previous)
