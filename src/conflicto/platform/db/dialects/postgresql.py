"""PostgreSQL: one server for many processes, one snapshot per read, timeouts at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import structlog
from sqlalchemy import Uuid, event, text

from conflicto.platform.db.dialects.postgresql_connections import open_engine, require_supported
from conflicto.platform.db.dialects.postgresql_errors import explain
from conflicto.platform.db.dialects.postgresql_maintenance import PostgreSQLMaintenance
from conflicto.platform.db.dialects.postgresql_server import NOW, PostgreSQLServer, require_timeline
from conflicto.platform.db.dialects.postgresql_statements import json_statements, lookup_statement
from conflicto.platform.instants import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import URL, Connection, Engine, Row, Select
    from sqlalchemy.types import TypeEngine

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.bulk import RecordMapping
    from conflicto.platform.db.dialects.dialect import Maintenance, ServerInspector
    from conflicto.platform.db.dialects.postgresql_statements import JsonStatements
    from conflicto.platform.db.key_lookup import KeyLookup
    from conflicto.platform.db.slow_queries import SlowQueries
    from conflicto.platform.db.timeouts import Timeouts
    from conflicto.platform.db.transaction import ReadTx, WriteTx

CANCEL_TIMEOUT_S = 2.0
"""Time for the server to accept a cancellation."""

log = structlog.get_logger(__name__)


class PostgreSQL:
    """The `Dialect` of PostgreSQL."""

    name = "postgresql"
    is_shared = True
    cancels_late = True
    has_jsonb = True
    uuid_type: TypeEngine[Any] = Uuid(as_uuid=True, native_uuid=True)
    driver_error: type[Exception] = psycopg.Error
    server: ServerInspector | None = PostgreSQLServer()

    def __init__(self) -> None:
        self.maintenance: Maintenance = PostgreSQLMaintenance(self)
        self._records: dict[RecordMapping, JsonStatements] = {}
        self._lookups: dict[KeyLookup, Select[Any]] = {}

    def max_readers(self, connections: int) -> int:
        """Return all connections: the server does the work."""
        return connections

    def open_writer(self, url: URL, timeouts: Timeouts, slow_queries: SlowQueries) -> Engine:
        """Return the writer's engine, in read committed mode."""
        return open_engine(url, timeouts, slow_queries, pool_size=1, max_overflow=0, read_only=False)

    def open_readers(
        self,
        url: URL,
        timeouts: Timeouts,
        slow_queries: SlowQueries,
        *,
        size: int,
        overflow: int,
        timeline: Callable[[], str | None],
    ) -> Engine:
        """Return an engine for reads, in repeatable read mode."""
        engine = open_engine(url, timeouts, slow_queries, pool_size=size, max_overflow=overflow, read_only=True)
        event.listen(engine, "connect", lambda connection, _: require_timeline(connection, timeline()))
        return engine

    def require_supported(self, connection: Connection) -> None:
        """Refuse a server that is older than PostgreSQL 14."""
        require_supported(connection)

    def interrupt(self, connection: Connection) -> None:
        """Send a cancellation over a connection of its own.

        A server that does not answer ends its statements by its own timeout.
        """
        driver_connection: Any = connection.connection.driver_connection
        try:
            driver_connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)
        except psycopg.OperationalError as error:
            log.warning("cancel-failed", error=type(error).__name__)

    def now_us(self, connection: Connection, clock: Clock) -> int:  # noqa: ARG002 - machines' clocks differ
        """Return the server's clock, µs."""
        return int(connection.execute(NOW).scalar_one())

    def set_statement_timeout(self, connection: Connection, seconds: float) -> None:
        """Set the server's timeout until the transaction ends."""
        connection.execute(text(f"SET LOCAL statement_timeout = {round(seconds * MS_PER_S)}"))

    def lock_table(self, connection: Connection, table: str) -> None:
        """Lock a table against writes and row locks; reads go on."""
        connection.exec_driver_sql(f'LOCK TABLE "{table}" IN EXCLUSIVE MODE')

    def insert_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Insert all records with one statement."""
        statements = self._records.get(mapping) or self._statements_of(mapping)
        tx.write(statements.insert, {"records": msgspec.json.encode(records).decode()})

    def update_records(self, tx: WriteTx, mapping: RecordMapping, records: Sequence[Any]) -> None:
        """Update the rows of all records with one statement."""
        statements = self._records.get(mapping) or self._statements_of(mapping)
        tx.write(statements.update, {"records": msgspec.json.encode(records).decode()})

    def find_by_keys(
        self, tx: ReadTx, lookup: KeyLookup, keys: Iterable[Sequence[object]], **parameters: object
    ) -> Sequence[Row[Any]]:
        """Return the rows of a JSON array of records."""
        statement = self._lookups.get(lookup)
        if statement is None:
            statement = self._lookups[lookup] = lookup_statement(lookup)
        records = [dict(zip(lookup.places, key, strict=True)) for key in keys]
        return tx.all(statement, {"keys": msgspec.json.encode(records).decode(), **parameters})

    def explain(self, error: Exception) -> str | None:
        """Return the sentence for an error of the server or of libpq."""
        return explain(error)

    def _statements_of(self, mapping: RecordMapping) -> JsonStatements:
        statements = self._records[mapping] = json_statements(mapping)
        return statements
