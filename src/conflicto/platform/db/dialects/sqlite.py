"""SQLite: one file of this process, one writer that holds the lock, reads on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pysqlite3.dbapi2 as driver
from sqlalchemy import LargeBinary, event

from conflicto.platform.db.dialects.sqlite_connections import open_engine, require_safe_version
from conflicto.platform.db.dialects.sqlite_maintenance import SQLiteMaintenance
from conflicto.platform.db.dialects.sqlite_statements import lookup_statement, record_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import URL, Connection, Engine, Row, Select
    from sqlalchemy.engine import Dialect as SqlAlchemyDialect
    from sqlalchemy.types import TypeEngine

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.bulk import RecordMapping
    from conflicto.platform.db.dialects.dialect import Maintenance, ServerInspector
    from conflicto.platform.db.dialects.sqlite_statements import RecordStatements
    from conflicto.platform.db.key_lookup import KeyLookup
    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.db.transaction import ReadTx, WriteTx

MAX_READERS = 4
"""Reads run on this machine's cores, under Python's lock. More threads would only wait."""


class UuidBytes(LargeBinary):
    """A UUID as 16 bytes, passed to the driver unwrapped.

    The bytes take half the space of the text form and sort in the same order. SQLAlchemy's wrapper
    around every value takes a tenth of the writer's time.
    """

    def bind_processor(self, dialect: SqlAlchemyDialect) -> Any:  # noqa: ANN401, ARG002 - a bytes type on the outside, a UUID's on the inside
        """Return the conversion of a UUID for the driver."""
        return lambda value: None if value is None else value.bytes

    def result_processor(self, dialect: SqlAlchemyDialect, coltype: object) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return the conversion of the driver's value to a UUID."""
        return lambda value: None if value is None else UUID(bytes=value)


class SQLite:
    """The `Dialect` of SQLite."""

    name = "sqlite"
    is_shared = False
    cancels_late = False
    has_jsonb = False
    uuid_type: TypeEngine[Any] = UuidBytes(16)
    driver_error: type[Exception] = driver.Error
    server: ServerInspector | None = None

    def __init__(self) -> None:
        self.maintenance: Maintenance = SQLiteMaintenance(self)
        self._records: dict[RecordMapping, RecordStatements] = {}
        self._lookups: dict[KeyLookup, Select[Any]] = {}

    def max_readers(self, connections: int) -> int:
        """Return the number of readers: few, since they share this machine's cores."""
        return min(MAX_READERS, connections)

    def open_writer(self, url: URL, timeouts: Timeouts, slow_queries: SlowQueries) -> Engine:
        """Return the writer's engine; its transactions hold the write lock from `BEGIN` on."""
        engine = open_engine(url, timeouts, slow_queries, readers=0)
        event.listen(engine, "begin", _begin("BEGIN IMMEDIATE"))
        return engine

    def open_readers(
        self,
        url: URL,
        timeouts: Timeouts,
        slow_queries: SlowQueries,
        *,
        size: int,
        overflow: int,
        timeline: Callable[[], str | None],  # noqa: ARG002 - an open file cannot be replaced
    ) -> Engine:
        """Return an engine for reads."""
        engine = open_engine(url, timeouts, slow_queries, readers=size + overflow)
        event.listen(engine, "begin", _begin("BEGIN"))
        return engine

    def require_supported(self, connection: Connection) -> None:  # noqa: ARG002 - the library is part of this process
        """Refuse a library with the WAL-reset race."""
        require_safe_version()

    def interrupt(self, connection: Connection) -> None:
        """End the transaction of a connection: its deadline is over."""
        connection.info["until"][0] = float("-inf")

    def now_us(self, connection: Connection, clock: Clock) -> int:  # noqa: ARG002 - no other machine writes
        """Return this machine's clock, µs."""
        return clock.wall_us()

    def set_statement_timeout(self, connection: Connection, seconds: float) -> None:
        """Do nothing: the whole transaction ends at its deadline."""

    def lock_table(self, connection: Connection, table: str) -> None:
        """Do nothing: the writer's transaction locks the whole file."""

    def insert_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Insert a tuple of values for each record."""
        statements = self._records.get(mapping) or self._statements_of(mapping)
        tx.write_each(statements.insert, list(map(statements.inserted, records)))

    def update_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Update the row of each record."""
        statements = self._records.get(mapping) or self._statements_of(mapping)
        tx.write_each(statements.update, list(map(statements.updated, records)))

    def find_by_keys(
        self, tx: ReadTx, lookup: KeyLookup, keys: Iterable[Sequence[object]], **parameters: object
    ) -> Sequence[Row[Any]]:
        """Return the rows of a JSON array of keys."""
        statement = self._lookups.get(lookup)
        if statement is None:
            statement = self._lookups[lookup] = lookup_statement(lookup)
        return tx.all(statement, {"keys": msgspec.json.encode(list(keys)).decode(), **parameters})

    def explain(self, error: Exception) -> str | None:  # noqa: ARG002 - none is permanent
        """Return None: an error of a file may pass."""
        return None

    def _statements_of(self, mapping: RecordMapping) -> RecordStatements:
        statements = self._records[mapping] = record_statements(mapping)
        return statements


def _begin(statement: str) -> Callable[[Connection], None]:
    """Return a listener that begins a transaction and sets its deadline."""

    def on_begin(connection: Connection) -> None:
        info = connection.info
        info["until"][0] = time.monotonic() + info["statement_s"]
        connection.exec_driver_sql(statement)

    return on_begin
