"""Alembic's entry: open the database as the program does, and run the history in one transaction."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import text

import conflicto.activities.tables
import conflicto.participants.tables
import conflicto.responses.tables
import conflicto.sessions.tables  # noqa: F401 - the four rooms' tables join the metadata
from conflicto.platform.db.engine import Database
from conflicto.platform.db.tables import metadata
from conflicto.settings import read_settings

MIGRATION_LOCK = 7_229_110_641
"""PostgreSQL's advisory lock of migrations: of two that start together, one waits and finds nothing to do."""

MIGRATION_TIMEOUT = "SET LOCAL statement_timeout = '15min'"

GENERATED = frozenset({"response_data", "config", "secret", "aggregate"})
"""JSONB columns that only PostgreSQL has, generated from the stored text."""


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:  # noqa: FBT001 - Alembic's signature
    return not (reflected and ((kind == "column" and name in GENERATED) or name == "ix_responses_response_data"))


def _run() -> None:
    database = Database(context.config.attributes.get("url") or read_settings(os.environ).url)
    with database.writer_connection() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(MIGRATION_TIMEOUT))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.configure(connection=connection, target_metadata=metadata, include_object=_is_ours, compare_type=False)
        context.run_migrations()
    database.close()


_run()
