"""Statements of PostgreSQL for many records and many keys, which travel as one JSON value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Text, and_, bindparam, cast, column, func, literal_column, text
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select, TextClause
    from sqlalchemy.types import TypeEngine

    from conflicto.platform.db.bulk import RecordMapping
    from conflicto.platform.db.key_lookup import KeyLookup

_RECORDS = "json_to_recordset(CAST(:records AS json)) AS r"


@dataclass(frozen=True, slots=True)
class JsonStatements:
    """Statements whose only parameter `records` is a JSON array of records."""

    insert: TextClause
    update: TextClause


class _JsonField:
    """A field as PostgreSQL reads it from JSON: its declaration and the column's value.

    Bytes are encoded in base 64.
    """

    def __init__(self, field: str, kind: str, column_type: TypeEngine[Any]) -> None:
        is_bytes = kind == "bytes"
        declared = "text" if is_bytes else column_type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]  # of SQLAlchemy's class
        self.declared = f'"{field}" {declared}'
        self.value = f"decode(r.\"{field}\", 'base64')" if is_bytes else f'r."{field}"'


def json_statements(mapping: RecordMapping) -> JsonStatements:
    """Return the statements of a mapping."""
    # The names in these statements are our own fields and columns.
    columns, table = mapping.columns, mapping.table
    fields = {field: _JsonField(field, mapping.kinds[field], mapping.types[field]) for field in columns}
    records = f"{_RECORDS} ({', '.join(field.declared for field in fields.values())})"
    selected = ", ".join(field.value for field in fields.values())
    changed = ", ".join(f"{columns[field]} = {fields[field].value}" for field in mapping.updated)
    found = " AND ".join(f"{table}.{columns[field]} = {fields[field].value}" for field in mapping.key)
    return JsonStatements(
        text(f"INSERT INTO {table} ({', '.join(columns.values())}) SELECT {selected} FROM {records}"),  # noqa: S608
        text(f"UPDATE {table} SET {changed} FROM {records} WHERE {found}"),  # noqa: S608
    )


def lookup_statement(lookup: KeyLookup) -> Select[Any]:
    """Return the statement that joins the records of the JSON array `keys`.

    The fields of a key are named by `lookup.places`.
    """
    typed = [
        column(place, Text() if kind == "bytes" else each.type)
        for place, kind, each in zip(lookup.places, lookup.kinds, lookup.columns, strict=True)
    ]
    array = cast(bindparam("keys", type_=Text), JSON)
    records = func.json_to_recordset(array).table_valued(*typed).render_derived("key", with_types=True)
    parts = zip(lookup.columns, lookup.places, lookup.kinds, strict=True)
    return lookup.statement.join(records, and_(*(each == _key_part(records.c[place], kind) for each, place, kind in parts)))


def _key_part(value: ColumnElement[Any], kind: str) -> ColumnElement[Any]:
    """Return the key part to compare with a column."""
    return func.decode(value, literal_column("'hex'")) if kind == "bytes" else value
