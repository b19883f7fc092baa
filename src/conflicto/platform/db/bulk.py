"""Writes many records into one table with one statement.

SQLAlchemy builds two dictionaries per record, and psycopg sends each row by itself. For responses
that took more than a third of the writer's time. PostgreSQL gets one JSON array instead, which
msgspec encodes from the records directly. SQLite gets a tuple per record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.db.tables import value_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Table

    from conflicto.platform.db.transaction import WriteTx


class RecordMapping:
    """The columns of a dataclass's fields in one table, from which a dialect makes statements.

    `kinds` and `types` are the columns' kinds (`value_kind`) and types, by field. `key` are the
    fields that identify a record, `updated` those that an update writes.
    """

    def __init__(self, table: Table, columns: Mapping[str, str], *, key: Collection[str], updated: Collection[str]) -> None:
        self.table = table.name
        self.columns = columns
        self.kinds = {field: value_kind(table.c[column]) for field, column in columns.items()}
        self.types = {field: table.c[column].type for field, column in columns.items()}
        self.key = key
        self.updated = updated


class BulkWriter:
    """Inserts and updates records of one dataclass in one table.

    `columns` maps each field to its column. Fields are numbers, texts, booleans, UUIDs, bytes or
    None. `key` are the fields that identify a record, `updated` those that `update` writes. Both
    methods raise the driver's IntegrityError or DataError for all records if one does not fit.
    """

    def __init__(
        self, table: Table, columns: Mapping[str, str], *, key: Collection[str] = ("id",), updated: Collection[str] = ()
    ) -> None:
        self._mapping = RecordMapping(table, columns, key=key, updated=updated)

    def insert(self, tx: WriteTx, records: Sequence[Any]) -> None:
        """Insert new records."""
        tx.dialect.insert_records(tx, self._mapping, records)

    def update(self, tx: WriteTx, records: Sequence[Any]) -> None:
        """Write the updated fields of existing records; unknown records are ignored."""
        tx.dialect.update_records(tx, self._mapping, records)
