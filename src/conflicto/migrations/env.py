"""Alembic's entry: open the database as the program does, and run the history in one transaction."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, text

import conflicto.activities.tables
import conflicto.participants.tables
import conflicto.responses.tables
import conflicto.results.tables
import conflicto.sessions.tables  # noqa: F401 - the rooms' tables join the metadata
from conflicto.platform.db.deadlines import Deadlines
from conflicto.platform.db.engine import Database
from conflicto.platform.db.tables import metadata
from conflicto.settings import read_settings

MIGRATION_LOCK = 7_229_110_641
"""PostgreSQL's advisory lock of migrations: of two that start together, one waits and finds nothing to do."""

PATIENT = Deadlines(lock_s=900.0, statement_s=3600.0)
"""The second of two that migrate together waits for the first; a migration of many rows takes its time."""

SHORT_LOCKS = "SET LOCAL lock_timeout = '5s'"
"""While a migration waits for a table, everyone else waits behind it: better to give up and be run again."""

GENERATED = frozenset({"response_data", "config", "secret", "aggregate"})
"""JSONB columns that only PostgreSQL has, generated from the stored text."""


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:  # noqa: FBT001 - Alembic's signature
    return not (reflected and ((kind == "column" and name in GENERATED) or name == "ix_responses_response_data"))


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    database = Database(context.config.attributes.get("url") or read_settings(os.environ).url, deadlines=PATIENT)
    try:
        with database.writer_connection() as connection, connection.begin():
            _migrate(connection)
    finally:
        database.close()


def _migrate(connection: Connection) -> None:
    """Run the history in the transaction that is open; on SQLite it holds the write lock from its beginning on."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        connection.execute(text(SHORT_LOCKS))
    context.configure(connection=connection, target_metadata=metadata, include_object=_is_ours, compare_type=False)
    context.run_migrations()


_run()
