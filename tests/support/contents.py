"""Contents of a database, row by row, in one form for SQLite and PostgreSQL."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

import conflicto.activities.tables
import conflicto.participants.tables
import conflicto.responses.tables
import conflicto.results.tables
import conflicto.sessions.tables  # noqa: F401 - the rooms' tables join the metadata
from conflicto.platform.db.engine import Database
from conflicto.platform.db.tables import metadata_obj

Contents = dict[str, list[tuple[Any, ...]]]

OWN = {"feed_gaps", "meta"}
"""Tables that a restore changes: the new epoch has gaps and another number."""


def contents(url: str, *, without: set[str] = OWN) -> Contents:
    """Return the rows of every table, sorted.

    The head's position is excluded, since a restore moves it.
    """
    db = Database(url)
    try:
        return {
            name: sorted(
                (
                    tuple(_plain(value) for value in row)
                    for row in db.query(lambda tx, table=table: tx.all(select(*_columns(table))))
                ),
                key=repr,
            )
            for name, table in metadata_obj.tables.items()
            if name not in without
        }
    finally:
        db.close()


def _columns(table: Any) -> list[Any]:
    return [column for column in table.columns if (table.name, column.name) != ("feed_heads", "ts")]


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value


def fact_of(url: str, key: str) -> str | None:
    """Return a value of the database's metadata."""
    meta = metadata_obj.tables["meta"]
    db = Database(url)
    try:
        return db.query(lambda tx: tx.scalar(select(meta.c.value).where(meta.c.key == key)))
    finally:
        db.close()
