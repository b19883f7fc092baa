"""Alembic's entry point: opens the database as the program does, in one transaction."""

from __future__ import annotations

import os
from functools import partial

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

import conflicto.activities.session_types.tables
import conflicto.activities.tables
import conflicto.participants.tables
import conflicto.responses.tables
import conflicto.results.tables
import conflicto.sessions.tables
from conflicto.platform.db.engine import Database
from conflicto.platform.db.schema import revision
from conflicto.platform.db.tables import metadata_obj
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx
from conflicto.settings import read_settings

MIGRATION_TIMEOUTS = Timeouts(lock_s=900.0, statement_s=3600.0)
"""A second concurrent migration waits for the first. A migration of many rows takes its time."""

FIRST_TABLE = conflicto.sessions.tables.feed_heads.name
"""The table that every writer locks first: its holder waits for no second table."""

GENERATED_COLUMNS = frozenset({"response_data", "config", "secret", "aggregate"})
"""JSONB columns of PostgreSQL, generated from the stored text."""


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:  # noqa: FBT001 - Alembic's signature
    return not (reflected and ((kind == "column" and name in GENERATED_COLUMNS) or name == "ix_responses_response_data"))


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    database = Database(context.config.attributes.get("url") or read_settings(os.environ).url, timeouts=MIGRATION_TIMEOUTS)
    try:
        with database.writer_connection() as connection, connection.begin():
            _migrate(connection)
    finally:
        database.close()


def _migrate(connection: Connection) -> None:
    """Run the history in the open transaction; on SQLite it holds the write lock from the start."""
    maintenance = ReadTx(connection).dialect.maintenance
    maintenance.lock_schema(connection, first_table=FIRST_TABLE, is_current=partial(_is_at_revision, connection))
    context.configure(connection=connection, target_metadata=metadata_obj, include_object=_is_ours, compare_type=False)
    context.run_migrations()


def _is_at_revision(connection: Connection) -> bool:
    """Return whether the database has the requested revision, or none is requested."""
    try:
        return context.get_revision_argument() == revision(connection)
    except KeyError:
        return True  # `alembic check` and its like
    except CommandError:
        return False  # "-1": a number of steps


_run()
