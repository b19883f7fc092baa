"""Statements of SQLite for many records and many keys."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, bindparam, func, literal_column, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.sql.compiler import SQLCompiler

    from conflicto.platform.db.bulk import RecordMapping
    from conflicto.platform.db.key_lookup import KeyLookup

    Values = Callable[[Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class RecordStatements:
    """Statements in the driver's syntax, and functions from a record to their values."""

    insert: str
    inserted: Values
    update: str
    updated: Values


def record_statements(mapping: RecordMapping) -> RecordStatements:
    """Return the statements of a mapping, which the driver runs once for each record."""
    # The names in these statements are our own fields and columns.
    columns, table = mapping.columns, mapping.table
    changed = ", ".join(f"{columns[field]} = ?" for field in mapping.updated)
    found = " AND ".join(f"{columns[field]} = ?" for field in mapping.key)
    return RecordStatements(
        f"INSERT INTO {table} ({', '.join(columns.values())}) VALUES ({', '.join('?' for _ in columns)})",  # noqa: S608
        _values(mapping, columns),
        f"UPDATE {table} SET {changed} WHERE {found}",  # noqa: S608
        _values(mapping, (*mapping.updated, *mapping.key)),
    )


def _values(mapping: RecordMapping, fields: Iterable[str]) -> Values:
    """Return a function from a record to the values of `fields`. A UUID becomes 16 bytes."""
    return attrgetter(*(f"{field}.bytes" if mapping.kinds[field] == "uuid" else field for field in fields))


class _OrderedJoin(Join):
    """A join whose order SQLite may not change.

    Otherwise it would read all rows of a session, and for each row all keys.
    """

    inherit_cache = True


@compiles(_OrderedJoin)
def _compile_ordered_join(join: _OrderedJoin, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - the compiler's own
    sql: str = compiler.visit_join(join, **how)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one unannotated
    return sql.replace(" JOIN ", " CROSS JOIN ", 1)


def lookup_statement(lookup: KeyLookup) -> Select[Any]:
    """Return the statement that reads keys from the JSON array `keys`, by index."""
    array = func.json_each(bindparam("keys", type_=Text)).table_valued("value")
    parts = zip(lookup.columns, lookup.kinds, strict=True)
    agree = and_(*(column == _key_part(array.c.value, place, column, kind) for place, (column, kind) in enumerate(parts)))
    return lookup.statement.select_from(_OrderedJoin(array, lookup.columns[0].table, agree))


def _key_part(array: ColumnElement[Any], place: int, column: ColumnElement[Any], kind: str) -> ColumnElement[Any]:
    """Return the key part to compare with a column.

    UUIDs stand there with dashes, and bytes as hex digits.
    """
    value = array.op("->>")(literal_column(str(place)))
    if kind in {"uuid", "bytes"}:
        return type_coerce(func.unhex(value, literal_column("'-'")), column.type)
    return value
