"""Writes many records into one table with one statement.

SQLAlchemy builds two dictionaries per record, and psycopg sends each row by itself. For responses
that took more than a third of the writer's time. PostgreSQL gets one JSON array instead, which
msgspec encodes from the records directly. SQLite gets a tuple per record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.db.tables import value_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Table


class RecordMapping:
    """Columns of a dataclass's fields in one table. `Dialect` inserts and updates such records.

    `columns` maps each field to its column. Fields are numbers, texts, booleans, UUIDs, bytes or
    None. `kinds` and `types` are the columns' kinds (`value_kind`) and types, by field. `key` are
    the fields that identify a record, `updated` those that an update writes.
    """

    def __init__(
        self, table: Table, columns: Mapping[str, str], *, key: Collection[str] = ("id",), updated: Collection[str] = ()
    ) -> None:
        self.table = table.name
        self.columns = columns
        self.kinds = {field: value_kind(table.c[column]) for field, column in columns.items()}
        self.types = {field: table.c[column].type for field, column in columns.items()}
        self.key = key
        self.updated = updated
