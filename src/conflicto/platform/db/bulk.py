"""Writes many records into one table with one statement.

SQLAlchemy builds two dictionaries per record, and psycopg sends each row by itself. For responses
that took more than a third of the writer's time. PostgreSQL gets one JSON array instead, which
msgspec encodes from the records directly. SQLite gets a tuple per record.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import LargeBinary, text
from sqlalchemy.dialects import postgresql

from conflicto.platform.db.tables import Uuid16

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.types import TypeEngine

    from conflicto.platform.db.transaction import WriteTx

    Values = Callable[[Any], tuple[Any, ...]]

_RECORDS = "json_to_recordset(CAST(:records AS json)) AS r"


class BulkWriter:
    """Inserts and updates records of one dataclass in one table.

    `columns` maps each field to its column. Fields are numbers, texts, booleans, UUIDs, bytes or
    None. `key` are the fields that identify a record, `updated` those that `update` writes. Both
    methods raise the driver's IntegrityError or DataError for all records if one does not fit.
    """

    def __init__(
        self, table: Table, columns: Mapping[str, str], *, key: Collection[str] = ("id",), updated: Collection[str] = ()
    ) -> None:
        # The names in these statements are our own fields and columns.
        names = ", ".join(columns.values())
        json_fields = {field: _JsonField(field, table.c[column].type) for field, column in columns.items()}
        records = f"{_RECORDS} ({', '.join(json_field.declared for json_field in json_fields.values())})"
        selected = ", ".join(json_field.value for json_field in json_fields.values())
        self._insert = text(f"INSERT INTO {table.name} ({names}) SELECT {selected} FROM {records}")  # noqa: S608
        self._insert_each = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' for _ in columns)})"  # noqa: S608
        self._inserted = _values(table, columns)
        changed = ", ".join(f"{columns[field]} = {json_fields[field].value}" for field in updated)
        found = " AND ".join(f"{table.name}.{columns[field]} = {json_fields[field].value}" for field in key)
        self._update = text(f"UPDATE {table.name} SET {changed} FROM {records} WHERE {found}")  # noqa: S608
        changed = ", ".join(f"{columns[field]} = ?" for field in updated)
        found = " AND ".join(f"{columns[field]} = ?" for field in key)
        self._update_each = f"UPDATE {table.name} SET {changed} WHERE {found}"  # noqa: S608
        self._updated = _values(table, {field: columns[field] for field in (*updated, *key)})

    def insert(self, tx: WriteTx, records: Sequence[Any]) -> None:
        """Insert new records."""
        if tx.dialect == "postgresql":
            tx.write(self._insert, {"records": msgspec.json.encode(records).decode()})
        else:
            tx.write_each(self._insert_each, [self._inserted(record) for record in records])

    def update(self, tx: WriteTx, records: Sequence[Any]) -> None:
        """Write the updated fields of existing records; unknown records are ignored."""
        if tx.dialect == "postgresql":
            tx.write(self._update, {"records": msgspec.json.encode(records).decode()})
        else:
            tx.write_each(self._update_each, [self._updated(record) for record in records])


class _JsonField:
    """A field as PostgreSQL reads it from JSON: its declaration and the column's value.

    Bytes are encoded in base 64.
    """

    def __init__(self, field: str, column: TypeEngine[Any]) -> None:
        is_bytes = isinstance(column, LargeBinary)
        kind = "text" if is_bytes else column.compile(postgresql.dialect())  # type: ignore[no-untyped-call]  # of SQLAlchemy's class
        self.declared = f'"{field}" {kind}'
        self.value = f"decode(r.\"{field}\", 'base64')" if is_bytes else f'r."{field}"'


def _values(table: Table, columns: Mapping[str, str]) -> Values:
    """Return a function from a record to the values of `columns` for SQLite.

    A UUID becomes 16 bytes.
    """
    fields = [f"{field}.bytes" if isinstance(table.c[column].type, Uuid16) else field for field, column in columns.items()]
    return attrgetter(*fields)
