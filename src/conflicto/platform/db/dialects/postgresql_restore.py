"""Replacement of PostgreSQL tables: one transaction moves the old ones to a schema of their own.

Nothing is visible before its commit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from conflicto.platform.db.dialects.dialect import RestoreRefused, previous_name
from conflicto.platform.db.errors import DATABASE_ERRORS
from conflicto.platform.db.schema import VERSION_TABLE, revision
from conflicto.platform.db.slow_queries import SlowQueries

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.dialects.dialect import Dialect, NewContent
    from conflicto.platform.db.timeouts import Timeouts

MAX_ENDING_S = 3.0
"""Time that PostgreSQL takes at most to end the connections of a server that has stopped."""

ENDING_POLL_INTERVAL_S = 0.05

OTHER_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'conflicto' AND pid <> pg_backend_pid()
"""


def replace_tables(dialect: Dialect, url: URL, content: NewContent, timeouts: Timeouts, clock: Clock, made_us: int) -> str | None:
    """Replace the tables, and return the schema that keeps the previous ones."""
    engine = dialect.open_writer(url, timeouts, SlowQueries())
    try:
        with engine.connect() as connection, connection.begin():
            dialect.maintenance.allow_pauses(connection)
            _require_alone(connection)
            now_us = dialect.now_us(connection, clock)
            newest, previous = _move_to_schema(connection, content, previous_name(now_us))
            content.fill(connection, max(newest, now_us, made_us))
    except DATABASE_ERRORS as error:
        raise RestoreRefused(f"The database is unchanged: {error.__cause__ or error}") from error
    finally:
        engine.dispose()
    return previous


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


def _move_to_schema(connection: Connection, content: NewContent, schema: str) -> tuple[int, str | None]:
    """Move our tables to a schema of their own.

    Returns the newest position in them, and the schema (None: there were no tables).
    """
    tables = set(inspect(connection).get_table_names()) & {VERSION_TABLE, *content.tables}
    if not tables:
        return 0, None
    found = revision(connection)
    content.require_known(found)
    newest = content.newest_position(connection) if found else 0
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    for name in sorted(tables):
        connection.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"')
    return newest, f"schema {schema}"
