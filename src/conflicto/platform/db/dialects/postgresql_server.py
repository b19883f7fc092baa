"""Inspection of a PostgreSQL server: its timeline, clock and connection limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.errors import OperationalError
from sqlalchemy import text
from sqlalchemy.exc import NotSupportedError, ProgrammingError

from conflicto.platform.db.dialects.dialect import ConnectionLimit

if TYPE_CHECKING:
    from psycopg import Connection as DriverConnection
    from sqlalchemy import Connection, TextClause

TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
"""The timeline that a server writes. Every promotion begins a new one; its checkpoints show it
minutes later."""

UNKNOWN = ""
"""Value where a service does not disclose its timeline."""

CLOCK = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
NOW = text(f"SELECT {CLOCK}")

_DATABASE = text("SELECT oid FROM pg_database WHERE datname = current_database()")

_CONNECTION_LIMITS = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int AS most,"
    " (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user AND NOT rolsuper) AS of_role,"
    " (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS of_database,"
    " count(*) AS used, count(*) FILTER (WHERE usename = session_user) AS by_role,"
    " count(*) FILTER (WHERE datname = current_database()) AS in_database"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class TimelineMismatch(OperationalError):
    """The server is not on the timeline that this process knows."""


class PostgreSQLServer:
    """The `ServerInspector` of PostgreSQL."""

    def timeline(self, connection: Connection) -> tuple[str, str]:
        """Return the cluster's identifier, and the timeline that it writes."""
        return _read_value(connection, "system_identifier FROM pg_control_system()"), _read_value(connection, TIMELINE)

    def database_id(self, connection: Connection) -> str:
        """Return the object id of the database."""
        return str(connection.execute(_DATABASE).scalar_one())

    def now_us(self, connection: Connection) -> int:
        """Return the server's clock, µs."""
        return int(connection.execute(NOW).scalar_one())

    def state_query(self, timeline: str) -> TextClause:
        """Return the query of clock, timeline and epoch."""
        shown = "''" if timeline == UNKNOWN else TIMELINE
        return text(f"SELECT {CLOCK} AS now_us, {shown} AS timeline, (SELECT value FROM meta WHERE key = 'epoch') AS epoch")  # noqa: S608 - constants

    def connection_limit(self, connection: Connection) -> ConnectionLimit | None:
        """Return the narrowest of three limits, None behind a pooler, which has its own."""
        if getattr(connection.connection.dbapi_connection, "is_pooled", False):
            return None
        row = connection.execute(_CONNECTION_LIMITS).one()
        bounds = [ConnectionLimit(row.most, row.used, "max_connections")]
        if row.of_role is not None and row.of_role >= 0:
            bounds.append(ConnectionLimit(row.of_role, row.by_role, "the role's CONNECTION LIMIT"))
        if row.of_database >= 0:
            bounds.append(ConnectionLimit(row.of_database, row.in_database, "the database's CONNECTION LIMIT"))
        return min(bounds)


def require_timeline(connection: DriverConnection[tuple[str]], known: str | None) -> None:
    """Refuse a new connection to a server on another timeline than the known one.

    Raises:
        TimelineMismatch: its data must not be mixed with data in memory.
    """
    if known in {None, UNKNOWN}:
        return
    found = connection.execute(f"SELECT {TIMELINE}").fetchone()  # a constant
    connection.rollback()
    if found is None or found[0] != known:
        raise TimelineMismatch("the server is on another timeline than before")


def _read_value(connection: Connection, expression: str) -> str:
    """Return an expression's value in its own transaction, `UNKNOWN` if the server denies it."""
    with connection.begin() as transaction:
        try:
            return str(connection.execute(text(f"SELECT {expression}")).scalar_one())
        except (ProgrammingError, NotSupportedError):
            transaction.rollback()
            return UNKNOWN
