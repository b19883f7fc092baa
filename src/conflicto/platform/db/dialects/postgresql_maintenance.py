"""Maintenance of a PostgreSQL database: locks, checks, and rows from and to an archive."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import select, text

from conflicto.platform.db.dialects.dialect import CheckResult
from conflicto.platform.db.dialects.postgresql_connections import MIN_SERVER_VERSION
from conflicto.platform.db.dialects.postgresql_locks import lock_tables, wait_for_other_migrations
from conflicto.platform.db.dialects.postgresql_restore import replace_tables
from conflicto.platform.db.dialects.row_conversion import convert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import URL, Connection, Table

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.archive import Section
    from conflicto.platform.db.dialects.dialect import Dialect, NewContent
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.db.transaction import ReadTx

DURABLE = {"synchronous_commit": {"on", "remote_apply"}, "fsync": {"on"}, "full_page_writes": {"on"}}
"""Server settings under which an acknowledged commit survives a power failure."""

ROWS_PER_FETCH = 5_000
"""Rows that the server sends at a time."""

INDEXES = text(
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :name "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)"
)

TO_ARCHIVE: dict[str, Callable[[Any], Any]] = {"bytes": bytes.hex, "uuid": attrgetter("hex")}
FROM_ARCHIVE: dict[str, Callable[[Any], Any]] = {"bytes": r"\x{}".format}


class PostgreSQLMaintenance:
    """The `Maintenance` of PostgreSQL."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def lock_schema(self, connection: Connection, *, first_table: str, is_current: Callable[[], bool]) -> None:
        """Wait for other migrations, then lock all tables at once."""
        wait_for_other_migrations(connection)
        if not is_current():
            lock_tables(connection, first_table)

    def version_and_durability(self, tx: ReadTx) -> tuple[str, str]:
        """Return the server's version, and when it acknowledges a commit."""
        return str(tx.scalar(text("SHOW server_version"))), f"synchronous_commit={tx.scalar(text('SHOW synchronous_commit'))}"

    def find_damage(self, tx: ReadTx) -> list[str]:  # noqa: ARG002 - the server checks pages when it reads them
        """Return nothing: damage is an error of the statement that reads it."""
        return []

    def checks(self, tx: ReadTx) -> list[CheckResult]:
        """Return the checks of version and durability."""
        version = str(tx.scalar(text("SHOW server_version")))
        number = int(tx.scalar(text("SHOW server_version_num")))
        settings = {name: str(tx.scalar(text(f"SHOW {name}"))) for name in DURABLE}
        durable = all(settings[name] in wanted for name, wanted in DURABLE.items())
        return [
            CheckResult("version", number >= MIN_SERVER_VERSION, f"PostgreSQL {version}"),
            CheckResult("durability", durable, " ".join(f"{name}={value}" for name, value in settings.items())),
        ]

    def allow_pauses(self, connection: Connection) -> None:
        """Allow for a slow disk between two chunks. Other readers are cut off after 10 s."""
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    def stored_rows(self, tx: ReadTx, table: Table, kinds: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield rows of a cursor at the server."""
        raw: Any = tx.connection.connection.driver_connection
        cursor = raw.cursor(name=f"backup_{table.name}")
        cursor.itersize = ROWS_PER_FETCH
        try:
            yield from convert_rows(cursor.execute(str(select(table).compile(tx.connection))), kinds, TO_ARCHIVE)
        finally:
            cursor.close()

    def indexes(self, connection: Connection, table: str) -> list[tuple[str, str]]:
        """Return the indexes of the current schema."""
        return [(row.indexname, row.indexdef) for row in connection.execute(INDEXES, {"name": table})]

    def load_rows(self, connection: Connection, section: Section, rows: Iterable[list[Any]]) -> None:
        """Insert the rows with one COPY."""
        names = sql.SQL(", ").join(map(sql.Identifier, section.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(section.table), names)
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in convert_rows(rows, section.kinds, FROM_ARCHIVE):
                copy.write_row(row)

    def replace(self, url: URL, content: NewContent, timeouts: Timeouts, clock: Clock, made_us: int) -> str | None:
        """Move the tables to a schema of their own, and create new ones, in one transaction."""
        return replace_tables(self._dialect, url, content, timeouts, clock, made_us)
