"""Which schema this program speaks, and which one a database has. Alembic is not imported for this: a start takes no second for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from conflicto.platform.db import postgres

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from conflicto.platform.db.engine import Database

SCHEMA = "0005"
"""The newest revision of `conflicto/migrations`; a test holds the two together."""


class SchemaOld(RuntimeError):
    """The database's schema is not the one that this program speaks."""


def revision(connection: Connection) -> str | None:
    """Return the database's revision, None if it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_current(db: Database) -> None:
    """Refuse a database with another schema, with the command that mends it.

    Raises:
        SchemaOld: it is older, newer, or empty.
        PostgresOld: the server is older than PostgreSQL 14.
    """
    with db.writer_connection() as connection:
        if db.dialect == "postgresql":
            postgres.require_supported(connection)
        found = revision(connection)
    if found != SCHEMA:
        message = f"The database has schema {found or 'none'}, this program needs {SCHEMA}. Run `conflicto db upgrade`."
        raise SchemaOld(message)
